"""The first frame of a GIF, without the others of which a small file may hold thousands."""

from __future__ import annotations

import struct

import numpy as np

from napari_patchmap.errors import UnusableError
from napari_patchmap.optional import optional
from napari_patchmap.patches.readers.folder import headers

imagecodecs = optional("imagecodecs")

#: Blocks of a GIF: an image, an extension, the end.
_IMAGE, _EXTENSION, _END = 0x2C, 0x21, 0x3B


def decode_gif(data: bytes) -> tuple[np.ndarray, bool]:
    """Return the first frame, and whether there are more."""
    end, more = _first_frame(data)
    headers.check_size(_size(data, 6))
    pixels = imagecodecs.gif_decode(data[:end] + bytes([_END]), index=0)
    if pixels.ndim == 3 and bool((pixels[..., :3] == pixels[..., :1]).all()):
        pixels = pixels[..., 0]  # every GIF has a palette, that of a grey image is grey
    return pixels, more


def _first_frame(data: bytes) -> tuple[int, bool]:
    """Walk through a GIF; return where its first frame ends, and if another follows."""
    at = 13 + _palette(data[10] if len(data) > 10 else 0)
    end = 0
    while at < len(data):
        kind = data[at]
        if kind == _END:
            break
        if kind == _EXTENSION:
            at = _blocks(data, at + 2)
        elif kind == _IMAGE and end:
            return end, True
        elif kind == _IMAGE and at + 9 < len(data):
            headers.check_size(_size(data, at + 5))
            at = end = _blocks(data, at + 11 + _palette(data[at + 9]))
        else:
            break
        if at > len(data):
            break
    if not end or end > len(data):
        raise UnusableError("is cut off: the GIF has no whole frame")
    return end, False


def _size(data: bytes, at: int) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", data, at)
    return height, width


def _palette(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _blocks(data: bytes, at: int) -> int:
    """Jump over blocks of data; beyond the file if they are cut off."""
    while at < len(data) and data[at]:
        at += data[at] + 1
    return at + 1
