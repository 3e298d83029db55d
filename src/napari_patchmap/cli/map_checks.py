"""What is found out of a map only when it is asked for: refused before the work, or done."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari_patchmap.cli.common import batches_named, open_images
from napari_patchmap.cli.terminal import ProgressLine
from napari_patchmap.errors import ConfigError, PatchError, QualityError

if TYPE_CHECKING:
    from napari_patchmap.patches import PatchSet
    from napari_patchmap.quality import Evaluation
    from napari_patchmap.runs import Run

#: Opens the images of the run.
Patches = Callable[[], "PatchSet"]

#: Adds what it finds to what was measured, and returns it in lines.
Check = Callable[["Evaluation"], list[str]]


def asked_checks(run: Run, args: argparse.Namespace) -> list[Check]:
    """Return what was asked for, in the order in which it is said.

    Raises
    ------
    PatchmapError
        If it makes no sense for this run, before any work.
    """
    opened: list[PatchSet] = []

    def patches() -> PatchSet:
        """Open the images when the first check needs them, once."""
        if not opened:
            opened.append(open_images(run, args.images))
        return opened[0]

    checks = []
    for wanted, check in (
        (args.batch is not None, _batch),
        (args.predict is not None or args.keep_apart is not None, _prediction),
        (args.label_curve is not None, _curve),
        (args.baselines, _baselines),
        (args.stability, _stability),
    ):
        if wanted:
            checks.append(check(run, args, patches))
    return checks


def _batch(run: Run, args: argparse.Namespace, patches: Patches) -> Check:
    from napari_patchmap.quality.batches import batch_lines
    from napari_patchmap.runs.batch_check import check_batches

    batches = batches_named(run, args.batch, patches)

    def check(found: Evaluation) -> list[str]:
        found.report["batch"] = check_batches(run, args.batch, batches, run.labels)
        return batch_lines(found.report["batch"])

    return check


def _prediction(run: Run, args: argparse.Namespace, patches: Patches) -> Check:
    from napari_patchmap.quality.prediction import PredictionConfig
    from napari_patchmap.quality.prediction_words import prediction_lines
    from napari_patchmap.quality.splits import SplitConfig
    from napari_patchmap.runs.column_check import check_columns, predict_column

    if args.predict is None:
        raise ConfigError("--keep-apart needs --predict: the column that is to be predicted.")
    split = SplitConfig(args.held_out, args.repeats)
    config = PredictionConfig(args.predict, args.keep_apart or "", args.neighbours, split)
    check_columns(run.table, config)

    def check(found: Evaluation) -> list[str]:
        with ProgressLine() as line:
            told = predict_column(run, run.table, config, _watch(line, "holding patches out"))
        found.report["prediction"] = told
        return prediction_lines(told)

    return check


def _curve(run: Run, args: argparse.Namespace, patches: Patches) -> Check:
    from napari_patchmap.quality.label_curve import (
        AS_PUBLISHED,
        USUAL,
        CurveConfig,
        curve_lines,
        label_curve,
    )

    draws, labels = args.label_curve, run.labels
    if not 1 <= draws <= 1000:
        raise ConfigError(f"{draws} draws are no number from 1 to 1,000.")
    if labels is None or not run.dimensions:
        missing = "labels" if labels is None else "features"
        raise QualityError(f"{run.folder} has no {missing}, so there is no label curve.")
    without = args.curve_without
    config = CurveConfig(
        draws, "power" not in without, "pca" not in without,
        AS_PUBLISHED if args.curve_stopped_early else USUAL,
    )  # fmt: skip

    def check(found: Evaluation) -> list[str]:
        with ProgressLine() as line:
            curve = label_curve(run.features, labels, config, _watch(line, "drawing labels"))
        found.report["label_curve"] = curve
        return curve_lines(curve)

    return check


def _baselines(run: Run, args: argparse.Namespace, patches: Patches) -> Check:
    from napari_patchmap.quality.baselines import baseline_lines
    from napari_patchmap.training.pixel_baseline import baselines_of

    seen = patches()

    def check(found: Evaluation) -> list[str]:
        with ProgressLine() as line:

            def watch(done: int, total: int) -> bool:
                line.count("mapping pixels, percent", done, total)
                return False

            found.report["baselines"] = baselines_of(run, run.labels, seen, watch)
        return baseline_lines(found.report["baselines"])

    return check


def _stability(run: Run, args: argparse.Namespace, patches: Patches) -> Check:
    from napari_patchmap.quality.asked_checks import CHECKS
    from napari_patchmap.runs.stability import find_out

    if not run.dimensions:
        raise QualityError(
            f"{run.folder} has no features, so nothing of this can be said; train it again."
        )
    try:
        seen: PatchSet | None = patches()
    except PatchError:
        if args.images is not None:
            raise
        seen = None  # one of the checks needs them, and says so

    def check(found: Evaluation) -> list[str]:
        lines = []
        for one in CHECKS:
            lines.append(one.question)
            try:
                with ProgressLine() as line:
                    answer = find_out(run, one, seen, _watch(line, one.name))
            except QualityError as error:
                lines.append(str(error))
                continue
            found.report.update(answer.report)
            found.columns.update(answer.columns)
            lines += one.lines(answer.report[one.key])
        return lines

    return check


def _watch(line: ProgressLine, said: str) -> Callable[[Any, int, int], bool]:
    def look(_: Any, done: int, total: int) -> bool:
        line.count(said, done, total)
        return False

    return look
