"""Which image and which labels of a store are meant where the store itself was given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari_patchmap.errors import PatchError, UnusableError
from napari_patchmap.foreign import decoding
from napari_patchmap.patches.readers.zarr.ngff import StoreFiles
from napari_patchmap.patches.readers.zarr.zarr_find import ome
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.safe_zarr.open_zarr import is_zarr


def inside_store(request: OpenRequest) -> OpenRequest:
    """Return a request with the parts of stores for the stores, where there is one such part.

    The path of SpatialData becomes that of its one image. Objects that are the store of the
    image itself become the labels in it: in OME-Zarr ``labels/NAME`` of the image, in
    SpatialData ``labels/NAME`` of the whole.

    Raises
    ------
    PatchError
        If there are several, or none, with those that there are.
    """
    path = Path(request.path)
    if not is_zarr(path):
        return request
    with decoding(path, "is a Zarr store that cannot be read", "copy or save it again"):
        try:
            files = StoreFiles(path)
            node = files.node("")
        except UnusableError:  # whoever reads it says what is wrong
            return request
        known = {} if node is None else node.attributes
        if "multiscales" in ome(known):  # images of SpatialData have its mark, too
            place, own = "", request
        elif "spatialdata_attrs" in known:
            place, own = "", request.but(path=_only_image(path, files))
        elif "bioformats2raw.layout" in ome(known):
            place, own = "0/", request
        else:
            return request
        if request.objects is None or Path(request.objects) != path:
            return own
        return own.but(objects=path / f"{place}labels" / _only_labels(path, files, place))


def label_names(files: StoreFiles, place: str) -> list[str]:
    """Return the names of the labels in a group of a store, ``place`` with a slash behind it.

    Raises
    ------
    UnusableError
        If a description in it is damaged.
    """
    node = files.node(f"{place}labels")
    names = None if node is None else ome(node.attributes).get("labels")
    if isinstance(names, Sequence) and not isinstance(names, str) and names:
        return [str(name) for name in names]
    inside = files.folders(f"{place}labels")  # some programs list none
    return [n for n in inside if files.multiscale(f"{place}labels/{n}") is not None]


def _only_image(path: Path, files: StoreFiles) -> Path:
    names = [n for n in files.folders("images") if files.multiscale(f"images/{n}") is not None]
    if len(names) == 1:
        return path / "images" / names[0]
    if not names:
        tables = [one for one in files.folders("tables") if files.node(f"tables/{one}")]
        table = f"; its table is {path / 'tables' / tables[0]}" if tables else ""
        raise PatchError(f"{path} is SpatialData without an image{table}; choose another.")
    labels = label_names(files, "")
    beside = f", with --objects {path / 'labels' / labels[0]}" if labels else ""
    raise PatchError(
        f"{path} is SpatialData with {len(names)} images ({', '.join(names)}); choose one, "
        f"such as {path / 'images' / names[0]}{beside}."
    )


def _only_labels(path: Path, files: StoreFiles, place: str) -> str:
    names = label_names(files, place)
    if len(names) == 1:
        return names[0]
    if not names:
        raise PatchError(
            f"{path} has no labels in it; give the label image of its objects, or cut it into "
            "tiles (--tile-size)."
        )
    raise PatchError(
        f"{path} has several labels in it ({', '.join(names)}); choose one, such as "
        f"{path / place / 'labels' / names[0]} (--objects)."
    )
