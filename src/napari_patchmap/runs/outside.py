"""One image file that belongs to no patch set, on the map of a run."""

from __future__ import annotations

import os
from pathlib import Path

from napari_patchmap.errors import PatchError, UnusableError
from napari_patchmap.patches import PatchSet, from_array
from napari_patchmap.patches.readers.folder.folder_decoder import try_decode
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.runs.placing import Placed
from napari_patchmap.runs.run import Run


def place_image(
    run: Run, path: str | os.PathLike[str], watch: Watch = UNWATCHED
) -> tuple[PatchSet, Placed]:
    """Place one image on the map, whole, as one patch.

    Its ``features`` are what :func:`napari_patchmap.explore.similar.like_features` looks
    for.

    Parameters
    ----------
    run : Run
    path : path
        Of a PNG, JPEG, TIFF, BMP, WebP, GIF or JPEG 2000 file.
    watch : Watch, optional
        May end it once the image is read.

    Returns
    -------
    patch : PatchSet
        The image, named by its file.
    placed : Placed

    Raises
    ------
    PatchError
        If it cannot be read as one image.
    RunError
        If it has other channels than the run's patches.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        raise PatchError(f"{path} is a folder; choose one of the images in it.")
    found = try_decode(str(path), "auto")
    if isinstance(found, UnusableError):
        raise found.of(path)
    patch = from_array(
        found.pixels[None], name=path.name, axes="NYXC", channel_names=found.channel_names
    )
    watch.check()
    return patch, run.place(patch, watch)
