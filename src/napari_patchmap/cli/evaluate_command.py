"""How good a map is."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_patchmap.cli.common import load_run
from napari_patchmap.cli.stability_checks import stability
from napari_patchmap.cli.terminal import ProgressLine, say, warn
from napari_patchmap.errors import ConfigError, QualityError, RunError

if TYPE_CHECKING:
    from napari_patchmap.runs import Run


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.quality import report_lines
    from napari_patchmap.quality.background import BACKGROUND
    from napari_patchmap.quality.batches import batch_lines
    from napari_patchmap.quality.label_curve import curve_lines
    from napari_patchmap.runs import reopen_patches
    from napari_patchmap.runs.batch_check import batches_of, check_batches

    if args.images is not None and not Path(args.images).expanduser().exists():
        raise RunError(f"There is no {args.images}; say where the images are with --images.")
    run = load_run(args.run)
    if args.label_curve is not None:
        _check_curve(run, args.label_curve)
    batches = None
    if args.batch is not None:  # asked before the work
        wants = args.batch == BACKGROUND and args.batch not in run.table
        patches = reopen_patches(run, where=args.images) if wants else None
        batches = batches_of(run.table, args.batch, patches)
    answers = stability(run, args.images) if args.stability else []
    found = run.measured(run.labels)
    lines = report_lines(found.report)
    if batches is not None:
        found.report["batch"] = check_batches(run, args.batch, batches, run.labels)
        lines += batch_lines(found.report["batch"])
    if args.label_curve is not None:
        found.report["label_curve"] = _curve(run, args.label_curve)
        lines += curve_lines(found.report["label_curve"])
    for check, answer in answers:
        lines.append(check.question)
        if isinstance(answer, str):
            lines.append(answer)
            continue
        found.report.update(answer.report)
        found.columns.update(answer.columns)
        lines += check.lines(answer.report[check.key])
    if trouble := run.keep(found):
        warn(trouble)
    say(json.dumps(found.report, indent=2) if args.json else "\n".join(lines))
    return 0


def _check_curve(run: Run, draws: int) -> None:
    """Refuse, before the work, what no curve can be made of."""
    if not 1 <= draws <= 1000:
        raise ConfigError(f"{draws} draws are no number from 1 to 1,000.")
    if run.labels is None or not run.dimensions:
        missing = "labels" if run.labels is None else "features"
        raise QualityError(f"{run.folder} has no {missing}, so there is no label curve.")


def _curve(run: Run, draws: int) -> dict[str, Any]:
    """Make the curve, and say on a terminal how far it is."""
    from napari_patchmap.quality.label_curve import CurveConfig, label_curve

    labels = run.labels
    assert labels is not None
    with ProgressLine() as line:

        def look(_: dict[str, Any], done: int, total: int) -> bool:
            line.count("drawing labels", done, total)
            return False

        return label_curve(run.features, labels, CurveConfig(repeats=draws), look)
