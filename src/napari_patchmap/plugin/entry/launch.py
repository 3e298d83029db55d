"""Opening napari on a run, from the command line."""

from __future__ import annotations

import napari
from qtpy.QtWidgets import QApplication

from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.entry.open_all import open_workspace
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.qt.docks import show_panel
from napari_patchmap.plugin.workspace import workspace_of
from napari_patchmap.runs import Run
from napari_patchmap.runs.session_file import read_session

#: Smallest width and height of the window, where the screen has room for it.
_ROOMY = (1400, 860)


def show_run(
    run: Run, patches: PatchSet, *, block: bool = True, viewer: napari.Viewer | None = None
) -> napari.Viewer:
    """Open the workspace on a run and its patches.

    Parameters
    ----------
    run : Run
    patches : PatchSet
        The patches of the run, row by row.
    block : bool
        Whether to stay until the window is closed.
    viewer : Viewer, optional
        A new one when None.
    """
    viewer = napari.Viewer(title=f"napari - {run.name}") if viewer is None else viewer
    open_workspace(viewer)
    workspace = workspace_of(viewer)
    workspace.set_patches(patches)
    workspace.set_run(run)
    show_panel(viewer, "explore")
    _enlarge(viewer)
    session, trouble = read_session(run)
    MapLayer.of(viewer).session.restore(session)
    if trouble:
        workspace.say(trouble)
    if block:
        napari.run()
    return viewer


def _enlarge(viewer: napari.Viewer) -> None:
    """Make the window large enough for a map between its panels, if the screen is."""
    _, _, width, height = viewer.window.geometry()
    room = QApplication.primaryScreen().availableGeometry()
    viewer.window.resize(
        max(width, min(_ROOMY[0], room.width())), max(height, min(_ROOMY[1], room.height()))
    )
