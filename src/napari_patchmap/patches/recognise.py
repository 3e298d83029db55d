"""What a path holds, told without reading its pixels."""

from __future__ import annotations

import os
from pathlib import Path

from napari_patchmap import formats
from napari_patchmap.errors import PatchError, SingleImageError
from napari_patchmap.formats import FORMATS, Format
from napari_patchmap.kind import Kind
from napari_patchmap.patches.readers import recognises
from napari_patchmap.patches.request import OpenRequest


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
    found = _recognised(Path(path).expanduser(), now)
    return None if found is None else found.kind


def _recognised(path: Path, now: Kind | None = None) -> Format | None:
    return next((one for one in FORMATS if recognises(one, path, now is one.kind)), None)


def format_of(request: OpenRequest) -> Format:
    """Tell as which format the patches of a request are read.

    Raises
    ------
    PatchError
        If the path is not there, or nothing that holds patches.
    """
    path, asked = Path(request.path), request.asked
    try:
        if not path.exists():
            raise PatchError(f"There is no file or folder {path}; check the path.")
        found = (
            _recognised(path)
            if asked is None
            else next(one for one in FORMATS if one.kind is asked)
        )
    except OSError as error:
        raise PatchError(
            f"{path} cannot be looked at ({error.strerror or error}); check its permissions."
        ) from None
    if found is not None:
        return found
    if path.suffix.lower() in formats.IMAGES:
        raise SingleImageError(
            f"{path} is one single image; choose the folder that holds it and the others, or "
            "give its label image too, around whose objects patches are cut (--objects).",
            ("objects",),
        )
    closed = formats.CLOSED.get(path.suffix.lower())
    if closed is not None:
        raise PatchError(
            f"{path} is a {closed}, which is not read; save it as OME-TIFF or OME-Zarr, for "
            "example with bioformats2raw, or in Fiji (Plugins, Bio-Formats)."
        )
    raise PatchError(
        f"{path} is not a kind of file that holds patches; choose a folder of images, a slide, "
        f"or a stack ({formats.listed(Kind.STACK)})."
    )
