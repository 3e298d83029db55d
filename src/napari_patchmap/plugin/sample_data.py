"""File > Open Sample > Patchmap: the blood cells that come with the package."""

from __future__ import annotations

from typing import Any

import napari

from napari_patchmap.patches.sample import bundled_cells
from napari_patchmap.plugin.workspace import workspace_of


def blood_cells() -> list[tuple[Any, ...]]:
    """Return the cells as an image stack, and take them as the viewer's patches."""
    patches = bundled_cells()
    viewer = napari.current_viewer()
    name = patches.name
    if viewer is not None:
        taken = {layer.name for layer in viewer.layers}
        copies = (name, *(f"{name} [{i}]" for i in range(1, len(taken) + 1)))
        name = next(n for n in copies if n not in taken)
        workspace = workspace_of(viewer)
        # A map that is being trained keeps its patches; the images open all the same.
        if not workspace.training:
            patches.origin["layer"] = name
            workspace.set_patches(patches)
    return [(patches.stack(), {"name": name, "rgb": True}, "image")]
