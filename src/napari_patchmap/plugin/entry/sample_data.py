"""File > Open Sample > Patchmap: the blood cells that come with the package."""

from __future__ import annotations

from typing import Any

import napari

from napari_patchmap.patches.sample import bundled_cells


def blood_cells() -> list[tuple[Any, ...]]:
    """Return the cells as an image stack, and open the workspace with them, ready to train."""
    patches = bundled_cells()
    viewer = napari.current_viewer()
    name = patches.name
    if viewer is not None:
        from napari_patchmap.plugin.entry.starting import open_soon

        taken = {layer.name for layer in viewer.layers}
        copies = (name, *(f"{name} [{i}]" for i in range(1, len(taken) + 1)))
        name = next(n for n in copies if n not in taken)
        patches.origin["layer"] = name
        open_soon(viewer, lambda opened: _take(opened, patches))
    return [(patches.stack(), {"name": name, "rgb": True}, "image")]


def _take(viewer: napari.viewer.Viewer, patches: Any) -> None:
    """Take the cells as the viewer's patches, and show where a map is trained."""
    from napari_patchmap.plugin.qt.docks import show_panel
    from napari_patchmap.plugin.workspace import workspace_of

    workspace = workspace_of(viewer)
    # A map that is being trained keeps its patches; the images are open all the same.
    if not workspace.training:
        workspace.set_patches(patches)
        show_panel(viewer, "train")
