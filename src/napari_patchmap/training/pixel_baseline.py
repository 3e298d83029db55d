"""Figures of a run beside those of a random map, of its pixels, and of its features."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_patchmap.errors import TrainingStopped
from napari_patchmap.methods.catalog import METHODS
from napari_patchmap.patches import PatchSet
from napari_patchmap.quality.baselines import measure_baselines
from napari_patchmap.quality.figure import FigureInput, MeasureWatch
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.runs.run import Run, metric_of
from napari_patchmap.training.progress import Progress
from napari_patchmap.training.trainer import fit


def baselines_of(
    run: Run,
    labels: np.ndarray | None,
    patches: PatchSet | None = None,
    watch: MeasureWatch | None = None,
) -> dict[str, Any]:
    """Compute what the figures of a run can be compared with.

    Parameters
    ----------
    run : Run
    labels : ndarray of str, shape (n,), optional
    patches : PatchSet, optional
        Patch i is row i of the run. Without them, or where the map is of pixels itself, none
        is made of pixels.
    watch : callable, optional
        Told how far it is, in percent; True ends.

    Returns
    -------
    dict
        See :func:`napari_patchmap.quality.baselines.measure_baselines`; empty if it was ended.
    """
    pixels = None
    if patches is not None and len(patches) == len(run) and METHODS[_method(run)].trains:
        settings = {"method": "pixels", "device": "cpu", "dimensions": run.embedding.shape[1]}
        ended = False

        def report(progress: Progress) -> None:
            nonlocal ended
            ended = watch is not None and watch(round(100 * progress.fraction), 100)

        try:
            made = fit(
                patches,
                RunConfig(TrainConfig(**settings)),
                progress=report,
                should_leave=lambda: ended,
            )
        except TrainingStopped:
            return {}
        pixels = made.embedding
    given = FigureInput(
        run.embedding,
        labels,
        run.features if run.dimensions else None,
        metric=metric_of(run.config, run.layout),
        watch=watch,
    )
    return measure_baselines(given, pixels)


def _method(run: Run) -> str:
    return run.config.train.method
