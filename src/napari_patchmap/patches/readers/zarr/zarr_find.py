"""Which array of a Zarr store holds the images, and what the store says of its axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.readers.array_columns import images_key
from napari_patchmap.patches.safe_zarr.open_zarr import open_store
from napari_patchmap.patches.safe_zarr.zarr_codecs import check_array

#: How one image is opened. OME-Zarr keeps the labels of an image inside of it.
WITH_OBJECTS = (
    "together with the label image of its cells as objects (--objects; in OME-Zarr a folder "
    "in labels/ of the image)"
)

_KNOWN = {
    **dict.fromkeys(("y", "height", "row", "rows"), "Y"),
    **dict.fromkeys(("x", "width", "column", "columns", "col", "cols"), "X"),
    **dict.fromkeys(("c", "ch", "channel", "channels", "band", "bands"), "C"),
    **dict.fromkeys(("s", "sample", "samples", "rgb", "rgba"), "S"),
    **dict.fromkeys(("t", "time", "frame"), "T"),
    **dict.fromkeys(("z", "depth", "slice"), "Z"),
    **dict.fromkeys(("n", "patch", "patches", "image", "images", "index", "cell"), "N"),
}

#: What other axes are called; each numbers patches.
_FREE = "NQPONMLKJIHGFED"


class FoundArrays(NamedTuple):
    """The array of a store that holds its images, and what the store says of it."""

    array: Any
    axes: Any = None
    """As OME-Zarr names them, or None."""
    channel_names: Sequence[str] = ()
    columns: Mapping[str, Any] = {}
    """The arrays beside it."""

    @property
    def letters(self) -> str | None:
        """One letter an axis if the store names its axes: OME-Zarr, Zarr 3 or xarray."""
        array = self.array
        names = self.axes or getattr(array.metadata, "dimension_names", None)
        names = names or array.attrs.get("_ARRAY_DIMENSIONS")
        return letters_of(names) if names and len(names) == array.ndim else None


def find_array(path: Path, key: str | None = None) -> FoundArrays:
    """Find the array in a store that holds its images; ``key`` is what a person said.

    Raises
    ------
    PatchError
        If it is no Zarr store, does not say which array that is, or names decoders
        that are not known to be safe.
    """
    import zarr

    node = open_store(path)
    if isinstance(node, zarr.Group):
        found = _in_group(_image_group(node, path), path, key)
    else:
        found = FoundArrays(node)
    for array in (found.array, *found.columns.values()):
        check_array(array, path)
    return found


def _in_group(group: Any, path: Path, key: str | None) -> FoundArrays:
    import zarr

    scales = ome(group.attrs).get("multiscales")
    if scales and key is None:
        array = group[scales[0]["datasets"][0]["path"]]
        return FoundArrays(array, scales[0].get("axes", "tczyx"), channel_labels(group.attrs))
    arrays = {key: value for key, value in group.members() if isinstance(value, zarr.Array)}
    return FoundArrays(arrays.pop(images_key(arrays, path, key)), columns=arrays)


def _image_group(group: Any, path: Path) -> Any:
    """Follow OME-Zarr's layouts of several images down to the one there is."""
    known = ome(group.attrs)
    if "plate" in known or "well" in known:
        image = path / _first_image(group, known)
        raise PatchError(
            f"{path} is a {'plate' if 'plate' in known else 'well'} of many images; choose the "
            f"whole plate, or one image, such as {image}, {WITH_OBJECTS}."
        )
    if "bioformats2raw.layout" in known:
        names = sorted(
            key for key, inner in group.groups() if "multiscales" in ome(inner.attrs)
        )
        if len(names) == 1:
            return group[names[0]]
        raise PatchError(
            f"{path} holds {len(names)} images; choose one, such as "
            f"{path / (names or ['0'])[0]}, {WITH_OBJECTS}."
        )
    return group


def _first_image(group: Any, known: Mapping[str, Any]) -> str:
    """Return the path of the first image in a plate or well; the usual one if it is silent."""
    try:
        if "plate" not in known:
            return str(known["well"]["images"][0]["path"])
        well = str(known["plate"]["wells"][0]["path"])
        return f"{well}/{_first_image(group[well], ome(group[well].attrs))}"
    except (LookupError, TypeError, AttributeError):
        return "A/1/0" if "plate" in known else "0"


def ome(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the OME metadata of a group: those of 0.5, or 0.4 and before."""
    inner = attributes.get("ome")
    return inner if isinstance(inner, Mapping) else attributes


def letters_of(names: Sequence[Any]) -> str | None:
    """Turn the names of axes into one letter each; None if height and width are not among them.

    A name may be None, or a dict with ``name`` and ``type`` as in OME-Zarr.
    """
    letters = ""
    for name in names:
        kind = ""
        if isinstance(name, Mapping):
            kind = str(name.get("type", ""))
            name = name.get("name")
        letter = "C" if kind == "channel" else _KNOWN.get(str(name).casefold(), "")
        if not letter or letter in letters:
            taken = {_KNOWN.get(str(other).casefold()) for other in names} | set(letters)
            letter = next(free for free in _FREE if free not in taken)
        letters += letter
    return letters if {"Y", "X"} <= set(letters) else None


def channel_labels(attributes: Mapping[str, Any]) -> list[str]:
    """Return the names that OME-Zarr gives to channels, as far as there are any."""
    omero = ome(attributes).get("omero")
    channels = omero.get("channels", []) if isinstance(omero, Mapping) else []
    return [
        str(one["label"]) for one in channels if isinstance(one, Mapping) and one.get("label")
    ]
