"""The list of images that were skipped, as a file that people can work through."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import StringIO
from pathlib import Path

from napari_patchmap.patches import Skipped
from napari_patchmap.runs.writable import writing
from napari_patchmap.writing import write_whole

#: Name of the list in a run folder.
UNREADABLE = "unreadable.csv"


def save_skipped(path: str | Path, skipped: Iterable[Skipped]) -> Path:
    """Write the images that were skipped as CSV with the columns source and reason.

    Raises
    ------
    RunError
        If the file cannot be written.
    """
    text = StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(("source", "reason"))
    writer.writerows((one.source, one.reason) for one in skipped)
    with writing(path):
        # A name may hold bytes that are no text; they are escaped rather than in the way.
        write_whole(path, text.getvalue().encode(errors="backslashreplace"))
    return Path(path)
