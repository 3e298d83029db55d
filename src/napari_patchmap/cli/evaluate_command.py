"""How good a map is."""

from __future__ import annotations

import argparse
import json

from napari_patchmap.cli.common import load_run
from napari_patchmap.cli.terminal import say


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.quality import evaluate, report_lines

    run = load_run(args.run)
    report = evaluate(run.embedding, run.labels)
    if "training" in run.metrics:
        report["training"] = run.metrics["training"]
        report["notes"] = [*filter(None, [report["training"]["warning"]]), *report["notes"]]
    say(json.dumps(report, indent=2) if args.json else "\n".join(report_lines(report)))
    return 0
