"""How good a map is."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from napari_patchmap.cli.common import load_run, open_images
from napari_patchmap.cli.stability_checks import stability
from napari_patchmap.cli.terminal import ProgressLine, say, warn
from napari_patchmap.errors import ConfigError, QualityError

if TYPE_CHECKING:
    from napari_patchmap.quality.figure import GrowingWatch
    from napari_patchmap.quality.label_curve import CurveConfig
    from napari_patchmap.runs import Run


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.quality import report_lines
    from napari_patchmap.quality.background import BACKGROUND
    from napari_patchmap.quality.baselines import baseline_lines
    from napari_patchmap.quality.batches import batch_lines
    from napari_patchmap.quality.label_curve import CurveConfig, curve_lines
    from napari_patchmap.quality.prediction import PredictionConfig
    from napari_patchmap.quality.prediction_words import prediction_lines
    from napari_patchmap.quality.splits import SplitConfig
    from napari_patchmap.runs.batch_check import batches_of, check_batches
    from napari_patchmap.runs.column_check import check_columns, predict_column
    from napari_patchmap.training.pixel_baseline import baselines_of

    run = load_run(args.run)
    if args.label_curve is not None:
        _check_curve(run, args.label_curve)
    prediction = None
    if args.predict is not None:
        split = SplitConfig(args.held_out, args.repeats)
        prediction = PredictionConfig(
            args.predict, args.keep_apart or "", args.neighbours, split
        )
        check_columns(run.table, prediction)
    elif args.keep_apart is not None:
        raise ConfigError("--keep-apart needs --predict: the column that is to be told.")
    batches = None
    by_background = args.batch == BACKGROUND and args.batch not in run.table
    wants = by_background or args.baselines  # asked before the work
    patches = open_images(run, args.images) if wants else None
    if args.batch is not None:
        batches = batches_of(run.table, args.batch, patches)
    answers = stability(run, args.images) if args.stability else []
    found = run.measured(run.labels)
    lines = report_lines(found.report)
    if batches is not None:
        found.report["batch"] = check_batches(run, args.batch, batches, run.labels)
        lines += batch_lines(found.report["batch"])
    if args.label_curve is not None:
        config = CurveConfig(
            repeats=args.label_curve,
            power="power" not in args.curve_without,
            pca="pca" not in args.curve_without,
        )
        found.report["label_curve"] = _curve(run, config)
        lines += curve_lines(found.report["label_curve"])
    for check, answer in answers:
        lines.append(check.question)
        if isinstance(answer, str):
            lines.append(answer)
            continue
        found.report.update(answer.report)
        found.columns.update(answer.columns)
        lines += check.lines(answer.report[check.key])
    if prediction is not None:
        with ProgressLine() as line:
            found.report["prediction"] = predict_column(
                run, run.table, prediction, _watch(line, "holding patches out")
            )
        lines += prediction_lines(found.report["prediction"])
    if args.baselines:
        with ProgressLine() as line:

            def watch(done: int, total: int) -> bool:
                line.count("mapping pixels, percent", done, total)
                return False

            found.report["baselines"] = baselines_of(run, run.labels, patches, watch)
        lines += baseline_lines(found.report["baselines"])
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


def _curve(run: Run, config: CurveConfig) -> dict[str, Any]:
    """Make the curve, and say on a terminal how far it is."""
    from napari_patchmap.quality.label_curve import label_curve

    labels = run.labels
    assert labels is not None
    with ProgressLine() as line:
        return label_curve(run.features, labels, config, _watch(line, "drawing labels"))


def _watch(line: ProgressLine, said: str) -> GrowingWatch:
    def look(_: dict[str, Any], done: int, total: int) -> bool:
        line.count(said, done, total)
        return False

    return look
