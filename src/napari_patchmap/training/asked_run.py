"""A run whose map is asked something."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch

from napari_patchmap.augment.views import ViewMaker
from napari_patchmap.methods.catalog import METHODS
from napari_patchmap.networks.pixels import PatchPixels
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.box_table import labels_of
from napari_patchmap.patches.watch import Watch
from napari_patchmap.quality.asked import AskedMap
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.runs.placing import look_at, prepared_as
from napari_patchmap.runs.run import Run
from napari_patchmap.training.progress import Progress
from napari_patchmap.training.trainer import fit


def asked_run(
    run: Run,
    table: pd.DataFrame,
    images: Callable[[], PatchSet | None],
    columns: Sequence[str] = (),
    called: str = "This run",
) -> AskedMap:
    """Return the map of a run as checks ask it; nothing is read or opened yet.

    ``table`` is that of the run or what the window has; row i of it and of the patches that
    ``images`` returns is the run's patch i.
    """

    return AskedMap(
        called=called,
        table=table,
        origin=run.origin,
        layout=run.layout,
        dimensions=run.dimensions,
        figures=lambda: run.to_measure(labels_of(table)),
        images=images,
        tsne=run.config.train.tsne,
        views=lambda *of: _look_at_views(run, *of),
        pixel_map=lambda *of: _map_of_pixels(run, *of),
        columns=columns,
        label_from=run.label_from,
        sees_images=run.sees_images,
    )


def _look_at_views(
    run: Run, patches: PatchSet, rows: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Look at two views of some patches, made with the run's own augmentations.

    Returned are features and outputs of the first view of each of ``rows``, then of the second.
    """
    same, size = prepared_as(run, patches), run.network.spec.size
    maker = ViewMaker(run.config.augment, is_rgb=same.is_rgb, fill=same.border_colour(size))
    generator = torch.Generator().manual_seed(seed)
    images = PatchPixels(same, size)[torch.from_numpy(rows)]
    views = torch.cat([maker(images, generator) for _ in range(2)])
    return look_at(run, views.mul(255).round().byte())


def _map_of_pixels(run: Run, patches: PatchSet | None, watch: Watch) -> np.ndarray | None:
    """Make a map of pixels of as many dimensions as a run's, (n, d), beside which it is seen.

    None without patches, or where the map is of pixels itself; raises a TrainingStopped where
    ``watch`` ends it, which is told how far it is in percent.
    """
    if patches is None or len(patches) != len(run) or not patches.pictured:
        return None
    if run.sees_images and not METHODS[run.config.train.method].trains:
        return None
    config = TrainConfig(method="pixels", device="cpu", dimensions=run.embedding.shape[1])

    def report(progress: Progress) -> None:
        watch.ends(round(100 * progress.fraction), 100)

    made = fit(patches, RunConfig(config), progress=report, should_leave=lambda: watch.stops)
    return made.embedding
