"""Opens what is dropped onto napari and is ours: saved runs, slides and .npz files.

What napari 0.9 does, tried with real drop events: it looks only at the patterns in
the manifests. One reader is taken without a question; of several it asks which one
(and offers to remember the answer), whatever their ``get_reader`` would say. Its own
reader claims nearly every ending, so whatever we claim is asked about.

- ``*.svs``, ``*.ndpi``, ``*.qptiff`` and ``*.npz`` are offered: napari's reader would
  pull a whole slide into memory, and of an archive it shows one array.
- ``*.tif``, ``*.png`` and other ordinary images are not claimed: they open in napari
  as ever, without a question. Slides that are TIFF files are dropped onto the panel.
- Folders are not claimed: with ``accepts_directories`` napari asks about every folder
  that anybody drops. Folders, too, are dropped onto the panel.
- ``config.json`` is how a saved run is opened; its folder goes onto the panel.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import napari
import numpy as np

from napari_patchmap.plugin.opening import Kind, is_run_folder, open_run
from napari_patchmap.plugin.workspace import workspace_of
from napari_patchmap.runs import Run

LayerData = tuple[Any, ...]

#: What napari takes for "read, but there is no layer to add".
_NOTHING: list[LayerData] = [(None,)]


def get_reader(path: str | Sequence[str]) -> Callable[[Any], list[LayerData]] | None:
    """Return the reader of a saved run, a slide or a set of patches, None for anything else.

    Parameters
    ----------
    path : str or list of str
        A run folder or the ``config.json`` in it, a slide, or an ``.npz`` file.
    """
    if not isinstance(path, str):
        return None
    if is_run_folder(_folder(path)):
        return read_run
    if _kind(path) is not None:
        return read_patches
    return None


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
    return _NOTHING


def read_patches(path: str) -> list[LayerData]:
    """Fill in the "Load patches" panel of the current viewer.

    A stack is loaded at once. Of a slide the tiles that would be cut out are
    shown first. Without a viewer, the picture itself is the layer.
    """
    kind, viewer = _kind(path), napari.current_viewer()
    if viewer is None:
        return [_as_image(path, kind)]
    from napari_patchmap.plugin.docks import find_panel
    from napari_patchmap.plugin.widgets.load import LoadPatches
    from napari_patchmap.plugin.widgets.open_all import open_workspace

    open_workspace(viewer)
    panel = find_panel(viewer, "load")
    assert isinstance(panel, LoadPatches)
    panel.source.choose(kind or "file", path)
    if kind == "file":
        panel.load()
    return _NOTHING


def _kind(path: str) -> Kind | None:
    """Say what a dropped file is to us: a slide, a stack ("file"), or nothing."""
    from napari_patchmap.patches.slide_levels import SURE_SUFFIXES

    name = path.lower()
    if not Path(path).is_file():
        return None
    if name.endswith(SURE_SUFFIXES):
        return "slide"
    return "file" if name.endswith(".npz") and zipfile.is_zipfile(path) else None


def _folder(path: str) -> Path:
    given = Path(path)
    return given.parent if given.name == "config.json" else given


def _as_image(path: str, kind: Kind | None) -> LayerData:
    if kind == "slide":
        from napari_patchmap.patches.tiles import open_slide

        slide = open_slide(Path(path))
        picture = slide.overview()
        scale = slide.shape[0] / len(picture)
        slide.close()
        look = {"name": Path(path).name, "rgb": True, "scale": (scale, scale)}
        return (picture, look, "image")
    from napari_patchmap.patches import open_patches
    from napari_patchmap.patches.patchset import as_rgb

    patches = open_patches(path, sizes="pad")
    indices = np.arange(len(patches))
    pixels = patches.pixels(indices, patches.common_size).transpose(0, 2, 3, 1)
    return (as_rgb(pixels), {"name": patches.name, "rgb": True}, "image")


def _as_points(run: Run) -> LayerData:
    table = run.table
    extent = float(np.ptp(run.embedding, axis=0).max()) or 1.0
    look = {"name": run.name, "features": table, "size": 0.004 * extent, "border_width": 0}
    return (run.embedding, {**look, "canvas_size_limits": (2, 20)}, "points")
