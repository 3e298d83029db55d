"""The kinds of sources, in people's words, and how a path tells which one it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from napari_patchmap.plugin.known_files import is_run
from napari_patchmap.plugin.opening import Kind


@dataclass(frozen=True)
class SourceKind:
    """One entry of the list of sources.

    Parameters
    ----------
    key : str
    name : str
        In the list.
    text : str
        What it is, below the list.
    asks : tuple of str
        The parts of the form that matter for it.
    wanted : str
        What the path is a path of.
    title : str
        Of the dialog in which it is chosen.
    """

    key: Kind
    name: str
    text: str
    asks: tuple[str, ...] = ()
    wanted: str = ""
    title: str = ""


SOURCES = {
    kind.key: kind
    for kind in (
        SourceKind(
            "folder",
            "Folder of images",
            "One image file a patch (PNG, JPEG, TIFF, BMP, WebP, GIF, JPEG 2000). Sub-folders, "
            "if any, are the labels.",
            ("path", "labels", "pattern"),
            "folder",
            "Choose a folder of images",
        ),
        SourceKind(
            "file",
            "Stack of images",
            "One file with one patch a plane: TIFF, OME-TIFF, Zarr, .npy or .npz (MedMNIST "
            "files too).",
            ("path", "labels", "axes"),
            "file, or .zarr folder",
            "Choose a stack of images",
        ),
        SourceKind(
            "slide",
            "Whole slide",
            "An SVS or TIFF pyramid, or a folder of them, cut into tiles where tissue is.",
            ("path", "tiles"),
            "slide, or folder of slides",
            "Choose a slide",
        ),
        SourceKind(
            "objects",
            "Objects of a Labels layer",
            "Segmented cells that are open here: one patch is cut out around each of them.",
            ("objects", "crops"),
        ),
        SourceKind(
            "layer",
            "Open image layer",
            "A stack that is already open here; every plane is a patch.",
            ("layer", "labels", "axes"),
        ),
        SourceKind(
            "bundled",
            "Sample blood cells",
            "2,000 real blood cells of 8 kinds that come with Patchmap.",
        ),
        SourceKind(
            "run",
            "Saved run",
            "A folder that an earlier training wrote: its map and its patches.",
            ("path",),
            "run folder",
            "Choose a saved run",
        ),
    )
}

#: Endings of stacks that no slide has.
_STACKS = (".npy", ".npz", ".zarr")

#: Endings of files that the dialog shows, by kind.
FILTERS = {
    "file": "Image stacks (*.tif *.tiff *.npy *.npz);;All files (*)",
    "slide": "Slides (*.svs *.tif *.tiff *.ndpi *.qptiff *.btf);;All files (*)",
}


def recognise(path: str | Path, now: str = "folder") -> Kind | None:
    """Tell what kind of source lies at a path; it is looked into, which may take a while.

    Parameters
    ----------
    path : path
    now : str
        The kind that is chosen, which stays where the path could be that, too.

    Returns
    -------
    str or None
        None if there is nothing, or nothing that holds patches.
    """
    from napari_patchmap.patches.slides.find import find_slides, holds_slides
    from napari_patchmap.patches.slides.levels import SLIDE_SUFFIXES, is_slide

    given = Path(path).expanduser()
    name = given.name.lower()
    try:
        if name == "config.json" or given.is_dir():
            if is_run(given):
                return "run"
            if name.endswith(".zarr"):
                return "file"
            if not given.is_dir():
                return None
            if now == "slide" and find_slides(given):
                return "slide"
            return "slide" if holds_slides(given) else "folder"
        if not given.is_file():
            return None
        if name.endswith(_STACKS):
            return "file"
        if name.endswith(SLIDE_SUFFIXES):
            return "slide" if now == "slide" or is_slide(given) else "file"
    except OSError:
        pass  # whoever opens it says what is wrong
    return None
