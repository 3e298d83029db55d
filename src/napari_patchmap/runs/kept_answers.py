"""What somebody found out of a saved run, added to its folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from napari_patchmap.runs.run_folder import BEFORE, CONFIG, FILES
from napari_patchmap.writing import write_json


def keep_in(
    folder: Path,
    index: np.ndarray,
    training: str,
    write: Callable[[Path], Iterable[str]],
    what: str,
) -> str:
    """Add files to a saved run; return why that cannot be, "" if it was done.

    Nothing is written of a part of its patches, or where another map took its place.

    Parameters
    ----------
    folder : Path
    index : ndarray of int, shape (n,)
        Which patches of the run it is of.
    training : str
        What the training of the map calls itself.
    write : callable
        Writes the files; returns their names.
    what : str
        What they hold, as at the beginning of a sentence.
    """
    try:
        config = json.loads((folder / CONFIG).read_text("utf-8"))
        same = config["training"].get("id", "") == training
        if not same or len(index) != int(config["patches"]["count"]):
            return ""
        listed = set(config.get(FILES, BEFORE))
        if new := set(write(folder)) - listed:
            config[FILES] = sorted(listed | new)
            write_json(folder / CONFIG, config)
    except (OSError, ValueError, LookupError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:200]
        return f"{what} could not be kept in {folder} ({reason})."
    return ""
