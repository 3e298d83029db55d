"""What a path holds, told without reading its pixels."""

from __future__ import annotations

from pathlib import Path

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.files.folder import SUFFIXES
from napari_patchmap.patches.slides.find import holds_slides
from napari_patchmap.patches.slides.levels import is_slide
from napari_patchmap.patches.slides.tile_config import TileConfig
from napari_patchmap.patches.stacks.zarr_store import is_zarr


def kind_of(path: Path, tiles: TileConfig | None, objects: Path | None) -> str:
    """Look at what lies at a path.

    Parameters
    ----------
    path : Path
    tiles : TileConfig, optional
        Says that the path holds slides.
    objects : Path, optional
        Label images, which say that the patches are objects.

    Returns
    -------
    {"objects", "zarr", "slides", "folder", "stack", "npz"}
        ``folder``: of images, each a patch.

    Raises
    ------
    PatchError
        If it is not there, or nothing that holds patches.
    """
    try:
        is_dir, exists = path.is_dir(), path.exists()
    except OSError as error:
        raise PatchError(
            f"{path} cannot be looked at ({error.strerror or error}); check its permissions."
        ) from None
    if not exists:
        raise PatchError(f"There is no file or folder {path}; check the path.")
    if objects is not None:
        return "objects"
    if is_zarr(path):
        if tiles is not None:
            raise PatchError(
                f"{path} is a Zarr store, and tiles are cut out of TIFF slides; save it as a "
                "tiled TIFF, or leave out the settings for tiles."
            )
        return "zarr"
    if tiles is not None or (holds_slides(path) if is_dir else is_slide(path)):
        return "slides"
    if is_dir:
        return "folder"
    suffix = path.suffix.lower()
    if suffix in (".tif", ".tiff", ".npy"):
        return "stack"
    if suffix == ".npz":
        return "npz"
    if suffix in SUFFIXES:
        raise PatchError(
            f"{path} is one single image; choose the folder that holds it and the others, or "
            "give its label image too, around whose objects patches are cut (--objects)."
        )
    raise PatchError(
        f"{path} is not a kind of file that holds patches; choose a folder of images, a .tif "
        "stack, or an .npy or .npz file."
    )
