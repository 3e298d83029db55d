"""What is found out of a map only when it is asked for: refused before the work, or done."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING

from napari_patchmap.cli.common import open_images
from napari_patchmap.cli.terminal import ProgressLine
from napari_patchmap.errors import ConfigError, PatchError, QualityError

if TYPE_CHECKING:
    from napari_patchmap.patches import PatchSet
    from napari_patchmap.quality import Evaluation
    from napari_patchmap.quality.asked import AskedCheck, AskedMap
    from napari_patchmap.runs import Run
    from napari_patchmap.settings import Config

#: Adds what it finds to what was measured, and returns it in lines.
Check = Callable[["Evaluation"], list[str]]


def asked_checks(run: Run, args: argparse.Namespace) -> list[Check]:
    """Return what was asked for, in the order in which it is said.

    Raises
    ------
    PatchmapError
        If it makes no sense for this run, before any work.
    """
    from napari_patchmap.training.asked_run import asked_run

    @cache
    def images() -> PatchSet:
        """Open the images when the first check needs them, once."""
        return open_images(run, args.images)

    asked = asked_run(run, run.table, images, called=str(run.folder))
    checks: list[Check] = []
    for check, config in _wanted(args):
        if reason := check.refusal(asked):
            raise QualityError(reason)
        check.check(asked, config)
        checks.append(_One(check, asked, config))
    if args.stability:
        checks += _stability(asked, must_open=args.images is not None)
    return checks


def _wanted(args: argparse.Namespace) -> Iterator[tuple[AskedCheck, Config]]:
    """Yield the checks that are named, with their settings."""
    from napari_patchmap.quality.asked_checks import CHECK_OF
    from napari_patchmap.quality.batch_check import BATCH, BatchConfig
    from napari_patchmap.quality.curve_words import LABEL_CURVE
    from napari_patchmap.quality.label_curve import CurveConfig
    from napari_patchmap.quality.prediction import PredictionConfig
    from napari_patchmap.quality.prediction_words import PREDICTION

    if args.batch is not None:
        yield BATCH, BatchConfig(args.batch)
    if args.predict is None and args.keep_apart is not None:
        raise ConfigError("--keep-apart needs --predict: the column that is to be predicted.")
    if args.predict is not None:
        yield (
            PREDICTION,
            PredictionConfig(
                args.predict,
                args.keep_apart or "",
                args.neighbours,
                args.held_out,
                args.repeats,
            ),
        )
    if (draws := args.label_curve) is not None:
        if not 1 <= draws <= 1000:
            raise ConfigError(f"{draws} draws are no number from 1 to 1,000.")
        without = args.curve_without
        yield (
            LABEL_CURVE,
            CurveConfig(
                draws,
                "power" not in without,
                "pca" not in without,
                args.curve_stopped_early,
            ),
        )
    for key in args.ask:
        yield CHECK_OF[key], CHECK_OF[key].config()


@dataclass(frozen=True)
class _One:
    """One check that was asked for."""

    check: AskedCheck
    asked: AskedMap
    config: Config | None = None

    def __call__(self, found: Evaluation) -> list[str]:
        from napari_patchmap.patches.watch import Watch

        name = self.check.name or self.check.key.replace("_", " ")
        with ProgressLine() as line:
            answer = self.check.ask(self.asked, self.config, Watch(partial(line.count, name)))
        found.report.update(answer.report)
        found.columns.update(answer.columns)
        return self.check.lines(answer.report[self.check.key])


def _stability(asked: AskedMap, *, must_open: bool) -> Iterator[Check]:
    """Yield all checks of the group, each with its question; what one cannot say is a line."""
    from napari_patchmap.quality.asked import STABLE
    from napari_patchmap.quality.asked_checks import CHECKS

    checks = [check for check in CHECKS if check.group == STABLE]
    for check in checks:
        if reason := check.lacks(asked):
            raise QualityError(reason)
    try:
        asked.images()
    except PatchError:
        if must_open:
            raise
        asked = replace(asked, images=lambda: None)  # one of the checks needs them, and says so

    def said(check: AskedCheck) -> Check:
        def one(found: Evaluation) -> list[str]:
            try:
                return [check.question, *_One(check, asked)(found)]
            except QualityError as error:
                return [check.question, str(error)]

        return one

    yield from map(said, checks)
