"""Opens what is dropped onto napari and may be ours: runs, slides, .npz files, folders.

What napari 0.9 does, tried with real drop events: it looks only at the patterns in
the manifests. One reader is taken without a question; of several it asks which one
(and offers to remember the answer), whatever their ``get_reader`` would say. Its own
reader claims nearly every ending and every folder, so whatever we claim is asked about.

- ``*.svs``, ``*.ndpi``, ``*.qptiff`` and ``*.npz`` are offered: napari's reader would
  pull a whole slide into memory, and of an archive it shows one array.
- Folders are offered, for images, slides, Zarr and runs come in them. Who always wants
  napari's own reader sets it for ``*/`` under Preferences > Plugins, and is not asked.
- ``*.tif``, ``*.png`` and other ordinary images are not claimed: they open in napari
  as ever, without a question. Slides that are TIFF files are dropped onto the panel.
- ``config.json`` opens the saved run that it lies in.

Nothing is read here. The panels are opened when the libraries that they need have been
imported, see starting.py; the panel "Load patches" then reads in the background, with
progress and a way to cancel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import napari

from napari_patchmap import formats
from napari_patchmap.plugin.qt.known_files import (
    is_run,
    may_hold_patches,
    run_folder,
)

if TYPE_CHECKING:
    from napari.viewer import Viewer

LayerData = tuple[Any, ...]

#: What napari takes for "read, but there is no layer to add".
_NOTHING: list[LayerData] = [(None,)]


def get_reader(path: str | Sequence[str]) -> Callable[[Any], list[LayerData]] | None:
    """Return the reader of what may be ours, None for anything else.

    Parameters
    ----------
    path : str or list of str
        A folder, the ``config.json`` of a run, a slide, or an ``.npz`` file.
    """
    return read if isinstance(path, str) and may_hold_patches(path) else None


def read(path: str) -> list[LayerData]:
    """Open a run or patches in the "Load patches" panel of the current viewer.

    Of a slide the tiles that would be cut out are shown; anything else is loaded.
    Without a viewer a run is a Points layer, and patches are one Image layer.
    """
    viewer = napari.current_viewer()
    if viewer is None:
        return [_as_points(path) if is_run(path) else _as_image(path)]
    from napari_patchmap.plugin.entry.starting import open_soon

    open_soon(viewer, lambda opened: _open(opened, path))
    return _NOTHING


def _open(viewer: Viewer, path: str) -> None:
    """Show the panel with a path in it."""
    from napari_patchmap.plugin.panels.load.load_patches import LoadPatches
    from napari_patchmap.plugin.qt.docks import show_panel

    panel = show_panel(viewer, "load")
    assert isinstance(panel, LoadPatches)
    panel.open_path(Path(path))


def _as_image(path: str) -> LayerData:
    if path.lower().endswith(formats.SURE_SLIDES):
        from napari_patchmap.patches.readers.slides.tiles import open_slide

        slide = open_slide(Path(path))
        picture = slide.overview()
        scale = slide.shape[0] / len(picture)
        slide.close()
        look = {"name": Path(path).name, "rgb": True, "scale": (scale, scale)}
        return (picture, look, "image")
    import numpy as np

    from napari_patchmap.patches import open_patches

    patches = open_patches(path, sizes="pad")
    indices = np.arange(len(patches))
    pixels = patches.pixels(indices, patches.common_size).transpose(0, 2, 3, 1)
    return (patches.picture(pixels), {"name": patches.name, "rgb": True}, "image")


def _as_points(path: str) -> LayerData:
    import numpy as np

    from napari_patchmap.runs import Run

    run = Run.load(run_folder(path))
    extent = float(np.ptp(run.embedding, axis=0).max()) or 1.0
    look = {"name": run.name, "features": run.table, "size": 0.004 * extent, "border_width": 0}
    return (run.embedding, {**look, "canvas_size_limits": (2, 20)}, "points")
