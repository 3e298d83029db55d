"""Opens a saved run: napari hands over the ``config.json`` of its folder.

Only that one name is claimed in the manifest. Claiming folders would make napari
ask "which reader?" for every folder that anybody opens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import napari
import numpy as np

from napari_patchmap.plugin.opening import is_run_folder, open_run
from napari_patchmap.plugin.workspace import workspace_of
from napari_patchmap.runs import Run

LayerData = tuple[Any, ...]


def get_reader(path: str | Sequence[str]) -> Callable[[Any], list[LayerData]] | None:
    """Return the reader of a saved run, None for anything else.

    Parameters
    ----------
    path : str or list of str
        A run folder or the ``config.json`` in it.
    """
    return read_run if isinstance(path, str) and is_run_folder(_folder(path)) else None


def read_run(path: str) -> list[LayerData]:
    """Open a run in the current viewer's workspace, or as a Points layer without one."""
    viewer = napari.current_viewer()
    if viewer is None:
        return [_as_points(Run.load(_folder(path)))]
    from napari_patchmap.plugin.widgets.open_all import open_workspace

    workspace = workspace_of(viewer)
    opened = open_run(_folder(path))
    open_workspace(viewer)
    workspace.set_patches(opened.patches)
    assert opened.run is not None
    workspace.set_run(opened.run)
    if opened.sentence:
        workspace.say(opened.sentence)
    # What napari takes for "read, but there is no layer to add": the map is there already.
    return [(None,)]


def _folder(path: str) -> Path:
    given = Path(path)
    return given.parent if given.name == "config.json" else given


def _as_points(run: Run) -> LayerData:
    table = run.table
    extent = float(np.ptp(run.embedding, axis=0).max()) or 1.0
    look = {"name": run.name, "features": table, "size": 0.004 * extent, "border_width": 0}
    return (run.embedding, {**look, "canvas_size_limits": (2, 20)}, "points")
