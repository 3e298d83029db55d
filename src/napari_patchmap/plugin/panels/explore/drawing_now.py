"""What figures are drawn of in the window: the map as it is shown now, and its images."""

from __future__ import annotations

from functools import partial

import numpy as np

from napari_patchmap.errors import PatchmapError, RunError
from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.canvas.looking import to_canvas
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.runs import Run
from napari_patchmap.runs.drawing.drawable import Drawable


def drawn_now(owner: MapLayer) -> Drawable:
    """Return the map with its places and colours, without what is hidden.

    A map in 3-D is drawn from where it is looked at.

    Raises
    ------
    PatchmapError
        If there is no map, or nothing of it is shown.
    """
    points, colouring, workspace = owner.points, owner.colouring, owner.workspace
    patches, run = workspace.patches, workspace.run
    if points is None or colouring is None or patches is None or not len(points.data):
        raise PatchmapError("There is no map yet; train or open one first.")
    rows = np.flatnonzero(points.shown)
    if not len(rows):
        raise PatchmapError("All points are hidden; show some of them first.")
    places = points.data
    if places.shape[1] == 3:
        places = to_canvas(owner.viewer, places)[:, ::-1]
    return Drawable(
        places[rows],
        colouring.part(rows),
        rows,
        partial(_itself, patches),
        partial(_made, run),
        lambda: None if run is None else run.looks,
        lambda: workspace.table.iloc[rows].reset_index(drop=True),
    )


def _itself(patches: PatchSet) -> PatchSet:
    return patches


def _made(run: Run | None) -> Run:
    if run is None:
        raise RunError("There is no network yet; train a map or open a run first.")
    return run
