"""What a Zarr store may name to decode it, looked at before anything is decoded.

A store names its own decoders, and among those that may be installed are some that
run code (``pickle``) or that nobody here has looked at. So they are allowed by list.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from napari_patchmap.errors import PatchError

#: Decoders that turn bytes into bytes or numbers, and do nothing else.
ALLOWED = frozenset(
    {
        # Zarr 3
        "bytes", "endian", "transpose", "sharding_indexed",
        # compression
        "blosc", "bz2", "gzip", "lz4", "lzma", "pcodec", "zfpy", "zlib", "zstd",
        # sums that are checked
        "adler32", "crc32", "crc32c", "fletcher32", "jenkins_lookup3",
        # numbers written in another way
        "astype", "bitround", "delta", "fixedscaleoffset", "packbits", "quantize", "shuffle",
        # text
        "vlen-bytes", "vlen-utf8",
    }
)  # fmt: skip

#: Zarr 3 calls those of format 2 so.
_PREFIX = "numcodecs."

#: A chunk that takes more than this, in bytes, is not decoded: all of it is at once.
_LARGEST = 2**32


def check_array(array: Any, path: object) -> None:
    """Refuse an array whose decoders are not known to be safe, or whose chunks are too large.

    Nothing of it is decoded. ``path`` is that of the store.

    Raises
    ------
    PatchError
    """
    named = f"{path}/{array.path}" if array.path else f"{path}"
    known = array.metadata.to_dict()
    codecs = [*(known.get("filters") or ()), *(known.get("codecs") or ())]
    if known.get("compressor") is not None:
        codecs.append(known["compressor"])
    for name in (name for codec in codecs for name in _names(codec)):
        if name.removeprefix(_PREFIX) not in ALLOWED:
            raise PatchError(
                f"{named} names {name!r} to decode it, which is none of the decoders that are "
                "known to run no code; save the store again with a usual compressor, such as "
                "zstd."
            )
    size = math.prod(array.chunks) * np.dtype(array.dtype).itemsize
    if size > _LARGEST:
        raise PatchError(
            f"{named} has chunks of {size / 2**30:,.1f} GB, each of which would be read as a "
            "whole; save the store again with smaller chunks."
        )


def _names(codec: Any) -> Iterator[str]:
    """Name a decoder and those inside of it, as sharding has them."""
    if not isinstance(codec, Mapping):
        yield type(codec).__name__
        return
    yield str(codec.get("id", codec.get("name")))
    for value in (codec.get("configuration") or {}).values():
        if isinstance(value, Sequence) and not isinstance(value, str):
            yield from (
                name for one in value if isinstance(one, Mapping) for name in _names(one)
            )
