"""What a path holds, told without reading its pixels."""

from __future__ import annotations

import os
from pathlib import Path

from napari_patchmap import formats
from napari_patchmap.errors import PatchError
from napari_patchmap.patches.kind import Kind
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.slides.find_slides import find_slides, holds_slides
from napari_patchmap.patches.slides.levels import is_slide
from napari_patchmap.patches.stacks.zarr_store import is_zarr


def recognise(path: str | os.PathLike[str], now: Kind | None = None) -> Kind | None:
    """Tell what kind of patches lies at a path; it is looked into, which may take a while.

    Parameters
    ----------
    path : path
    now : Kind, optional
        The kind that is chosen, which stays where the path could be that, too.

    Returns
    -------
    Kind or None
        None if there is nothing, or nothing that holds patches.

    Raises
    ------
    OSError
        If it cannot be looked at.
    """
    path = Path(path).expanduser()
    name = path.name.lower()
    if is_zarr(path):
        return Kind.STACK
    if path.is_dir():
        slides = holds_slides(path) or (now is Kind.SLIDES and bool(find_slides(path)))
        return Kind.SLIDES if slides else Kind.FOLDER
    if not path.is_file():
        return None
    if name.endswith(formats.SLIDES) and (now is Kind.SLIDES or is_slide(path)):
        return Kind.SLIDES
    # What ends on .zarr and is no folder is none.
    files = {*formats.STACKS, *formats.SLIDES} - {".zarr"}
    return Kind.STACK if path.suffix.lower() in files else None


def kind_of(request: OpenRequest) -> Kind:
    """Tell how the patches of a request are read.

    Returns
    -------
    Kind
        ``FOLDER``, ``STACK``, ``SLIDES`` or ``OBJECTS``.

    Raises
    ------
    PatchError
        If the path is not there, or nothing that holds patches.
    """
    path = Path(request.path)
    try:
        exists = path.exists()
        if exists and request.objects is not None:
            return Kind.OBJECTS
        zarr = exists and is_zarr(path)
        found = recognise(path) if request.tiles is None else Kind.SLIDES
    except OSError as error:
        raise PatchError(
            f"{path} cannot be looked at ({error.strerror or error}); check its permissions."
        ) from None
    if not exists:
        raise PatchError(f"There is no file or folder {path}; check the path.")
    if zarr and request.tiles is not None:
        raise PatchError(
            f"{path} is a Zarr store, and tiles are cut out of TIFF slides; save it as a "
            "tiled TIFF, or leave out the settings for tiles."
        )
    if found is not None:
        return found
    if path.suffix.lower() in formats.IMAGES:
        raise PatchError(
            f"{path} is one single image; choose the folder that holds it and the others, or "
            "give its label image too, around whose objects patches are cut (--objects)."
        )
    raise PatchError(
        f"{path} is not a kind of file that holds patches; choose a folder of images, a .tif "
        "stack, or an .npy or .npz file."
    )
