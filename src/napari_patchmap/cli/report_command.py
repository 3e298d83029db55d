"""A report of a run, as one page."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_patchmap.cli.common import load_run
from napari_patchmap.cli.terminal import say, warn
from napari_patchmap.errors import RunError


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.quality import FIGURES
    from napari_patchmap.runs.report_page import write_report
    from napari_patchmap.runs.writable import check_file

    if Path(args.out).suffix.lower() not in (".html", ".htm"):
        raise RunError(
            f"{args.out} is no page; name a file that ends in .html (a browser prints it as "
            "PDF)."
        )
    path = check_file(args.out)
    run = load_run(args.run)
    if not {figure.key for figure in FIGURES} <= set(run.metrics):  # measured before some were
        found = run.measured(run.labels)
        if trouble := run.keep(found):
            warn(trouble)
        run.metrics, run.columns = found.report, found.columns
    say(f"Report: {write_report(run, path)}")
    return 0
