"""How good a map is."""

from __future__ import annotations

import argparse
import json

from napari_patchmap.cli.common import load_run
from napari_patchmap.cli.terminal import say, warn


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.quality import report_lines

    run = load_run(args.run)
    found = run.measured(run.labels)
    if trouble := run.keep(found):
        warn(trouble)
    report = found.report
    say(json.dumps(report, indent=2) if args.json else "\n".join(report_lines(report)))
    return 0
