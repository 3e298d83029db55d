"""Checks of a map that take minutes, each with how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_patchmap.cli.common import open_images
from napari_patchmap.cli.terminal import ProgressLine
from napari_patchmap.errors import PatchError, QualityError

if TYPE_CHECKING:
    from napari_patchmap.quality import Evaluation
    from napari_patchmap.quality.asked import AskedCheck
    from napari_patchmap.runs import Run


def stability(run: Run, images: str | None) -> list[tuple[AskedCheck, Evaluation | str]]:
    """Make all checks of a run that are asked for, or say of one why it cannot be made.

    Parameters
    ----------
    run : Run
    images : str, optional
        Where its images are.

    Raises
    ------
    QualityError
        If the run has no features.
    PatchError
        If its images are not where they were said to be.
    """
    from napari_patchmap.quality.asked_checks import CHECKS
    from napari_patchmap.runs.stability import find_out

    if not run.dimensions:
        raise QualityError(
            f"{run.folder} has no features, so nothing of this can be said; train it again."
        )
    try:
        patches = open_images(run, images)
    except PatchError:
        if images is not None:
            raise
        patches = None
    answers: list[tuple[AskedCheck, Evaluation | str]] = []
    for check in CHECKS:
        with ProgressLine() as line:

            def look(
                _: Evaluation | None,
                done: int,
                total: int,
                name: str = check.name,
                line: ProgressLine = line,
            ) -> bool:
                line.count(name, done, total)
                return False

            try:
                answers.append((check, find_out(run, check, patches, look)))
            except QualityError as error:
                answers.append((check, str(error)))
    return answers
