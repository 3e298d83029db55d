"""Opening napari on a run, from the command line."""

from __future__ import annotations

import napari

from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.widgets.open_all import open_workspace
from napari_patchmap.plugin.workspace import workspace_of
from napari_patchmap.runs import Run


def show_run(run: Run, patches: PatchSet, *, block: bool = True) -> napari.Viewer:
    """Open the workspace on a run and its patches.

    Parameters
    ----------
    run : Run
    patches : PatchSet
        The patches of the run, row by row.
    block : bool
        Whether to stay until the window is closed.
    """
    viewer = napari.Viewer(title=f"napari - {run.name}")
    open_workspace(viewer)
    workspace = workspace_of(viewer)
    workspace.set_patches(patches)
    workspace.set_run(run)
    if block:
        napari.run()
    return viewer
