"""What a Zarr store says of its axes and channels: OME-Zarr, xarray, or Zarr 3 itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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


def ome(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the OME metadata of a group: those of 0.5, or 0.4 and before."""
    inner = attributes.get("ome")
    return inner if isinstance(inner, Mapping) else attributes


def letters_of(names: Sequence[Any]) -> str | None:
    """Turn the names of axes into one letter each; None if height and width are not among them.

    Parameters
    ----------
    names : sequence of str, None, or dict with ``name`` and ``type`` as in OME-Zarr
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
