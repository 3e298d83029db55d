"""A report of a run as a file, of the kind that its name says."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from napari_patchmap.errors import RunError
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.runs.reporting.html_report import as_html
from napari_patchmap.runs.reporting.pdf_report import as_pdf
from napari_patchmap.runs.reporting.run_report import report_of
from napari_patchmap.runs.run import Run
from napari_patchmap.runs.writable import check_file, writing
from napari_patchmap.writing import write_whole

#: What writes a file of each ending.
_WRITERS = {".html": as_html, ".htm": as_html, ".pdf": as_pdf}


def check_report_file(path: str | os.PathLike[str]) -> Path:
    """Return the path of a report that can be written.

    Raises
    ------
    RunError
        If its ending is none of a report, or nothing can be written there.
    """
    if Path(path).suffix.lower() not in _WRITERS:
        raise RunError(f"{path} has no ending of a report; name it .html or .pdf.")
    return check_file(path)


def write_report(
    run: Run,
    path: str | os.PathLike[str],
    labels: np.ndarray | None = None,
    watch: Watch = UNWATCHED,
) -> Path:
    """Write a report of a saved run: map, figures, settings, and what a paper has to say.

    Parameters
    ----------
    run : Run
        Its figures are taken as they are known; see :meth:`Run.measured`.
    path : path
        Of the file, which ends in .html (one page, which loads nothing) or .pdf.
    labels : ndarray of str, shape (n,), optional
        Others than those of its table.
    watch : Watch, optional
        May end it before anything is written.

    Raises
    ------
    RunError
        If it cannot be written.
    """
    path = check_report_file(path)
    report = report_of(run, run.labels if labels is None else labels, watch)
    watch.check()
    with writing(path):
        write_whole(path, _WRITERS[path.suffix.lower()](report))
    return path
