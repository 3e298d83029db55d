"""A run whose map is asked something."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.explore.colouring import columns_to_show
from napari_patchmap.explore.first_look import look_at_first
from napari_patchmap.layout.tsne import Tsne
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.box_table import labels_of
from napari_patchmap.quality.figure import FigureInput, MeasureWatch
from napari_patchmap.runs.run import Run, metric_of
from napari_patchmap.runs.two_views import look_at_views
from napari_patchmap.training.pixel_baseline import map_of_pixels


@dataclass(frozen=True, eq=False)
class AskedRun:
    """An :class:`~napari_patchmap.quality.asked.AskedMap`.

    Parameters
    ----------
    run : Run
    table : DataFrame
        Row i is the run's patch i: its own, or what the window has.
    images : callable
        Returns the patches, row i of which is the run's, or None.
    called : str
    """

    run: Run
    table: pd.DataFrame
    images: Callable[[], PatchSet | None]
    called: str = "This run"

    @property
    def patches(self) -> PatchSet | None:
        """The images, where they are to be had."""
        return self.images()

    @property
    def columns(self) -> Sequence[str]:
        """Columns that can tell patches apart."""
        patches = self.patches
        return (
            columns_to_show(self.table) if patches is None else look_at_first(patches).columns
        )

    @property
    def origin(self) -> Mapping[str, Any]:
        """Where the patches are from."""
        return self.run.origin

    @property
    def layout(self) -> str:
        """Whether the map is the network's output or the t-SNE of the features."""
        return self.run.layout

    @property
    def dimensions(self) -> int:
        """How many features each patch has."""
        return self.run.dimensions

    @property
    def labels(self) -> np.ndarray | None:
        """Label of each patch as text, (n,)."""
        return labels_of(self.table)

    def figures(self, watch: MeasureWatch | None = None) -> FigureInput:
        """Return map, labels and features, which are read now."""
        run = self.run
        return FigureInput(
            run.embedding,
            self.labels,
            run.features if run.dimensions else None,
            metric=metric_of(run.config, run.layout),
            watch=watch,
        )

    def tsne(self) -> Tsne:
        """Return the t-SNE that laid the map out."""
        return self.run.config.train.tsne()

    def views(self, rows: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return features and outputs of two views of some patches, first one of each."""
        patches = self.patches
        assert patches is not None
        return look_at_views(self.run, patches, rows, seed)

    def pixel_map(self, watch: MeasureWatch) -> np.ndarray | None:
        """Make a map of the pixels, (n, d); None where there is none beside this one."""
        return map_of_pixels(self.run, self.patches, watch)
