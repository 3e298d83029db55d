"""A report of a run, as a page or as a PDF."""

from __future__ import annotations

import argparse

from napari_patchmap.cli.common import load_run
from napari_patchmap.cli.terminal import say, warn


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.quality import FIGURES
    from napari_patchmap.runs.reporting.writing_reports import check_report_file, write_report

    path = check_report_file(args.out)
    run = load_run(args.run, args.label)
    if not {figure.key for figure in FIGURES} <= set(run.metrics):  # measured before some were
        found = run.measured(run.labels, missing=True)
        if trouble := run.keep(found):
            warn(trouble)
        run.metrics, run.columns = found.report, found.columns
    say(f"Report: {write_report(run, path)}")
    return 0
