"""GIF and JPEG 2000: what is looked at before a decoder may fill the memory."""

from __future__ import annotations

import numpy as np

from napari_patchmap.errors import UnusableError
from napari_patchmap.optional import optional
from napari_patchmap.patches.readers.folder import headers

imagecodecs = optional("imagecodecs")

GIF = (b"GIF87a", b"GIF89a")
JP2 = (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")

#: Blocks of a GIF: an image, an extension, the end.
_IMAGE, _EXTENSION, _END = 0x2C, 0x21, 0x3B


def decode_gif(data: bytes) -> tuple[np.ndarray, bool]:
    """Return the first frame of a GIF, and whether there are more.

    Only that frame is decoded: a small file may hold thousands.

    Raises
    ------
    PatchError
    """
    end, more = _first_frame(data)
    height, width = data[8:10], data[6:8]
    headers.check_size((int.from_bytes(height, "little"), int.from_bytes(width, "little")))
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
            size = (
                int.from_bytes(data[at + 7 : at + 9], "little"),
                int.from_bytes(data[at + 5 : at + 7], "little"),
            )
            headers.check_size(size)
            at = end = _blocks(data, at + 11 + _palette(data[at + 9]))
        else:
            break
        if at > len(data):
            break
    if not end or end > len(data):
        raise UnusableError("is cut off: the GIF has no whole frame")
    return end, False


def _palette(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _blocks(data: bytes, at: int) -> int:
    """Jump over blocks of data; beyond the file if they are cut off."""
    while at < len(data) and data[at]:
        at += data[at] + 1
    return at + 1


def decode_jp2(data: bytes) -> np.ndarray:
    """Return the pixels of a JPEG 2000 image.

    Raises
    ------
    PatchError
    """
    start = data.find(JP2[1])
    if start < 0 or len(data) < start + 24:
        raise UnusableError("is cut off: the JPEG 2000 has no codestream")
    width, height, left, top = (
        int.from_bytes(data[start + at : start + at + 4], "big") for at in (8, 12, 16, 20)
    )
    headers.check_size((max(0, height - top), max(0, width - left)))
    # The decoder fills what is missing, so the end is looked for first.
    if data.find(b"\xff\xd9", start) < 0:
        raise UnusableError("is cut off: the JPEG 2000 has no end")
    return np.asarray(imagecodecs.jpeg2k_decode(data))
