"""What an array of an HDF5 file says of its axes and channels."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from napari_patchmap.patches.readers.array_columns import texts
from napari_patchmap.patches.readers.zarr.zarr_find import letters_of

#: Where ilastik and vigra write the names of axes, and scPortrait those of channels.
_AXES, _CHANNELS = "axistags", "channel_names"

#: Attributes of more bytes than this are no names.
_LONGEST = 2**16


def said_axes(array: Any) -> str | None:
    """Return one letter an axis if the file names them, None if it does not."""
    names: list[Any] = [dimension.label for dimension in array.dims]
    with contextlib.suppress(ValueError, LookupError, TypeError):
        names = [axis["key"] for axis in json.loads(_text(array, _AXES))["axes"]]
    if len(names) != array.ndim or not all(names):
        return None
    return letters_of(names)


def said_channels(array: Any) -> list[str]:
    """Return the names of channels that stand with an array, as far as there are any."""
    if (
        _CHANNELS not in array.attrs
        or array.attrs.get_id(_CHANNELS).get_storage_size() > _LONGEST
    ):
        return []
    return texts(array.attrs[_CHANNELS])


def _text(array: Any, name: str) -> str:
    if name not in array.attrs or array.attrs.get_id(name).get_storage_size() > _LONGEST:
        return ""
    return texts(array.attrs[name])[0]
