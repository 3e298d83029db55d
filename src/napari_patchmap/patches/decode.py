"""One image file to pixels: PNG, JPEG or TIFF, told apart by content, not by name."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NamedTuple

import imagecodecs
import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.axes import ALPHA_NOTE, GREY, RGB
from napari_patchmap.patches.tiff import read_tiff

# Photoshop's colour profiles make libpng complain, once for every file.
logging.getLogger("imagecodecs").addHandler(logging.NullHandler())

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class Decoded(NamedTuple):
    """Pixels ``(height, width, channel)`` and what is known of their channels."""

    pixels: np.ndarray
    channel_names: tuple[str, ...]
    notes: tuple[str, ...] = ()


def decode(path: str, axes: str = "auto") -> Decoded:
    """Read one image file.

    The orientation that a camera writes into EXIF is ignored for every format
    alike: a patch is what is stored. Alpha is dropped.

    Parameters
    ----------
    path : str
    axes : str
        Axes of a TIFF file, when its metadata are wrong or missing.

    Raises
    ------
    PatchError
        With a few words that say why the file cannot be used; other errors come
        from the decoders.
    """
    with open(path, "rb", buffering=0) as file:
        data = file.read()
    if data.startswith(_JPEG):
        return _decode_jpeg(data)
    if data.startswith(_PNG):
        return _decode_png(data)
    if data.startswith(_TIFF):
        return _decode_tiff(path, axes)
    if not data:
        raise PatchError("is empty (0 bytes)")
    raise PatchError("is not a PNG, JPEG or TIFF image")


def _decode_jpeg(data: bytes) -> Decoded:
    # libjpeg fills what is missing with grey and only warns, so the end is looked for first.
    if not data.endswith(b"\xff\xd9") and not has_jpeg_end(data):
        raise PatchError("is cut off: the JPEG has no end")
    pixels = imagecodecs.jpeg_decode(data)
    if pixels.ndim == 2:
        return Decoded(pixels[..., None], GREY)
    if pixels.shape[2] != 3:
        raise PatchError("is a CMYK JPEG; save it as RGB")
    return Decoded(pixels, RGB)


def has_jpeg_end(data: bytes) -> bool:
    """Walk through the segments of a JPEG and say whether its image comes to an end.

    Files may go on after the end of the image, and an embedded preview has an
    end of its own, so the last or the first end marker proves nothing.
    """
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return False
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker == 0xD9:
            return True
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:  # compressed data follow: on to the next real marker
            while True:
                at = data.find(b"\xff", at)
                if at < 0 or at + 1 >= len(data):
                    return False
                if data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7:
                    break
                at += 2
    return data[at : at + 2] == b"\xff\xd9"


def _decode_png(data: bytes) -> Decoded:
    pixels = imagecodecs.png_decode(data)
    if pixels.ndim == 2:
        return Decoded(pixels[..., None], GREY)
    channels = pixels.shape[2]
    # PNG knows grey and RGB, each with or without alpha, and nothing else.
    names = RGB if channels > 2 else GREY
    notes = (ALPHA_NOTE,) if channels in (2, 4) else ()
    return Decoded(pixels[..., : len(names)], names, notes)


def _decode_tiff(path: str, axes: str) -> Decoded:
    planes = read_tiff(Path(path), axes)
    if len(planes.images) != 1:
        raise PatchError(
            f"holds {len(planes.images):,} images; open it alone as a stack, or, if they are "
            "channels, set axes to CYX"
        )
    image = np.asarray(planes.images[0])
    image = image.astype(image.dtype.newbyteorder("="), copy=False)
    return Decoded(image, planes.channel_names, tuple(planes.notes))
