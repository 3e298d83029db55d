"""How good a map is."""

from __future__ import annotations

import argparse
import json

from napari_patchmap.cli.common import load_run
from napari_patchmap.cli.terminal import say, warn


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.quality import report_lines
    from napari_patchmap.quality.background import BACKGROUND
    from napari_patchmap.quality.batches import batch_lines
    from napari_patchmap.runs import reopen_patches
    from napari_patchmap.runs.batch_check import batches_of, check_batches

    run = load_run(args.run)
    batches = None
    if args.batch is not None:  # asked before the work
        wants = args.batch == BACKGROUND and args.batch not in run.table
        patches = reopen_patches(run, where=args.images) if wants else None
        batches = batches_of(run.table, args.batch, patches)
    found = run.measured(run.labels)
    lines = report_lines(found.report)
    if batches is not None:
        found.report["batch"] = check_batches(run, args.batch, batches, run.labels)
        lines += batch_lines(found.report["batch"])
    if trouble := run.keep(found):
        warn(trouble)
    say(json.dumps(found.report, indent=2) if args.json else "\n".join(lines))
    return 0
