"""A map of the pixels of a run's patches, beside which its own can be seen."""

from __future__ import annotations

import numpy as np

from napari_patchmap.methods.catalog import METHODS
from napari_patchmap.patches import PatchSet
from napari_patchmap.quality.figure import MeasureWatch
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.runs.run import Run
from napari_patchmap.training.progress import Progress
from napari_patchmap.training.trainer import fit


def map_of_pixels(run: Run, patches: PatchSet | None, watch: MeasureWatch) -> np.ndarray | None:
    """Make a map of pixels of as many dimensions as a run's.

    Parameters
    ----------
    run : Run
    patches : PatchSet, optional
        Patch i is row i of the run.
    watch : callable
        Told how far it is, in percent; True ends.

    Returns
    -------
    ndarray of float32, shape (n, d), or None
        None without patches, or where the map is of pixels itself.

    Raises
    ------
    TrainingStopped
        If it was ended.
    """
    if patches is None or len(patches) != len(run) or not patches.pictured:
        return None
    if run.sees_images and not METHODS[_method(run)].trains:
        return None
    settings = {"method": "pixels", "device": "cpu", "dimensions": run.embedding.shape[1]}
    ended = False

    def report(progress: Progress) -> None:
        nonlocal ended
        ended = watch(round(100 * progress.fraction), 100)

    made = fit(
        patches,
        RunConfig(TrainConfig(**settings)),
        progress=report,
        should_leave=lambda: ended,
    )
    return made.embedding


def _method(run: Run) -> str:
    return run.config.train.method
