"""A run whose map is asked something."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.box_table import labels_of
from napari_patchmap.quality.asked import AskedMap
from napari_patchmap.quality.figure import FigureInput, MeasureWatch
from napari_patchmap.runs.augmented_pairs import look_at_views
from napari_patchmap.runs.run import Run, metric_of
from napari_patchmap.training.pixel_baseline import map_of_pixels


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

    def figures(watch: MeasureWatch | None) -> FigureInput:
        return FigureInput(
            run.embedding,
            labels_of(table),
            run.features if run.dimensions else None,
            metric=metric_of(run.config, run.layout),
            watch=watch,
        )

    return AskedMap(
        called=called,
        table=table,
        origin=run.origin,
        layout=run.layout,
        dimensions=run.dimensions,
        figures=figures,
        images=images,
        tsne=run.config.train.tsne,
        views=lambda *of: look_at_views(run, *of),
        pixel_map=lambda *of: map_of_pixels(run, *of),
        columns=columns,
        label_from=run.label_from,
        sees_images=run.sees_images,
    )
