"""One image file to pixels, by its content, not its name."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from napari_patchmap import formats
from napari_patchmap.errors import UnusableError
from napari_patchmap.foreign import words
from napari_patchmap.kind import Kind
from napari_patchmap.optional import optional
from napari_patchmap.patches.axes import ALPHA_NOTE, GREY, RGB
from napari_patchmap.patches.colour_spaces import cmyk_to_rgb
from napari_patchmap.patches.images import Images
from napari_patchmap.patches.numbers import as_pixels
from napari_patchmap.patches.photometric import CMYK_NOTE
from napari_patchmap.patches.readers.folder import headers
from napari_patchmap.patches.readers.folder.first_frame import decode_gif
from napari_patchmap.patches.readers.tiff.tiff_planes import read_tiff

imagecodecs = optional("imagecodecs")

# Photoshop's colour profiles make libpng complain, once for every file.
logging.getLogger("imagecodecs").addHandler(logging.NullHandler())

#: The kinds that can be read, in people's words.
KINDS = formats.listed(Kind.FOLDER)

#: Said of the frames of an animation that are no patches.
ANIMATION_NOTE = "Only the first frame of an animated image was taken."

#: How files begin that are decoded from memory.
_MAGIC = (headers.JPEG, headers.PNG, headers.BMP, headers.RIFF, *headers.GIF, *headers.JP2)

#: The most channels that an image of the most pixels may have.
_MOST_CHANNELS = 4

#: How PNG says that its numbers are places in a palette.
_PNG_PALETTE = 3

#: Read first, to learn the kind of a file: all of most patches, little of a large file.
_FIRST = 2**16


class Decoded(NamedTuple):
    """Pixels ``(height, width, channel)`` and what is known of their channels."""

    pixels: np.ndarray
    channel_names: tuple[str, ...]
    notes: tuple[str, ...] = ()


def decode(
    path: str,
    axes: str = "auto",
    digest: Callable[[Any], None] | None = None,
    *,
    numbers: bool = False,
) -> Decoded:
    """Read one image file.

    The orientation that a camera writes into EXIF is ignored for every format
    alike: a patch is what is stored. Alpha is dropped.

    Parameters
    ----------
    path : str
    axes : str
        Axes of a TIFF file, when its metadata are wrong or missing.
    digest : callable, optional
        Takes in the content of the file.
    numbers : bool
        Return the numbers as they are stored, as labels have to be: of an image with a palette
        the places in it.

    Raises
    ------
    UnusableError
        Other errors come from the decoders.
    """
    # Plain calls of the system, as few as can be: with small files they are what costs.
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        data = os.read(fd, _FIRST)
        if data.startswith(headers.TIFF):  # tifffile opens it again and reads what it needs
            with open(fd, "rb", buffering=0, closefd=False) as file:
                size = headers.tiff_size(file, data)
            if size is None:
                raise UnusableError("is cut off: its header leads out of the file")
            headers.check_size(size)
            decoded = _decode_tiff(path, axes, numbers)
            if digest is not None:
                digest(np.ascontiguousarray(decoded.pixels))
            return decoded
        if not data.startswith(_MAGIC):
            raise UnusableError(f"is not a {KINDS} image" if data else "is empty (0 bytes)")
        if len(data) == _FIRST:
            with open(fd, "rb", closefd=False) as file:
                data += file.read()
    finally:
        os.close(fd)
    if digest is not None:
        digest(data)
    if data.startswith(headers.JPEG):
        return _decode_jpeg(data)
    if data.startswith(headers.PNG):
        return _decode_png(data, numbers)
    if data.startswith(headers.BMP):
        return _decode_bmp(data, numbers)
    if data.startswith(headers.GIF):
        pixels, animated = decode_gif(data)
        return _first_frame(_without_alpha(pixels), animated)
    if data.startswith(headers.JP2):
        return _decode_jp2(data)
    return _decode_webp(data)


def _decode_jpeg(data: bytes) -> Decoded:
    # libjpeg fills what is missing with grey and only warns, so the end is looked for first.
    if not data.endswith(b"\xff\xd9") and not headers.has_jpeg_end(data):
        raise UnusableError("is cut off: the JPEG has no end")
    frame = headers.jpeg_frame(data)
    if frame is not None:
        headers.check_size((frame.height, frame.width))
    if frame is not None and frame.bits == 8 and frame.channels == 3:
        # Into an array of ours, which saves the decoder an eighth of its time.
        pixels = np.empty((frame.height, frame.width, 3), np.uint8)
        try:
            return Decoded(imagecodecs.jpeg8_decode(data, out=pixels), RGB)
        except imagecodecs.Jpeg8Error:  # lossless, or the like: find another decoder
            pass
    pixels = imagecodecs.jpeg_decode(data)
    if pixels.ndim == 2:
        return Decoded(pixels[..., None], GREY)
    if pixels.shape[2] == 4:
        # Pillow knows whose programs store these inverted.
        image = _open_with_pillow(data, "JPEG")
        inks = np.asarray(image.convert("CMYK"))
        rgb = cmyk_to_rgb(inks, profile=image.info.get("icc_profile"))
        return Decoded(rgb, RGB, (CMYK_NOTE,))
    if pixels.shape[2] != 3:
        raise UnusableError(f"is a JPEG of {pixels.shape[2]} channels", "save it as RGB")
    return Decoded(pixels, RGB)


def _decode_png(data: bytes, numbers: bool) -> Decoded:
    headers.check_size(headers.png_size(data))
    try:
        pixels = imagecodecs.png_decode(data)
    except imagecodecs.PngError:
        if b"IEND" not in data:
            raise UnusableError("is cut off: the PNG has no end") from None
        raise
    bits, kind = data[24], data[25]
    if numbers and kind == _PNG_PALETTE:
        return Decoded(np.asarray(_open_with_pillow(data, "PNG"))[..., None], GREY)
    if numbers and bits < 8:  # which were spread over 0 to 255
        pixels = pixels // np.uint8(255 // (2**bits - 1))
    # PNG knows grey and RGB, each with or without alpha, and nothing else.
    return _without_alpha(pixels)


def _decode_bmp(data: bytes, numbers: bool) -> Decoded:
    headers.check_size(headers.bmp_size(data))
    # What follows after the file's own length is no part of the image.
    if len(data) < 26 or len(data) < int.from_bytes(data[2:6], "little"):
        raise UnusableError("is cut off: the BMP is shorter than it says")
    image = _open_with_pillow(data, "BMP")
    few = int.from_bytes(data[28:30], "little") < 8 or image.mode == "1"
    if image.mode == "P" and not numbers:
        image = image.convert("RGB")
    pixels = as_pixels(np.asarray(image))
    # Masks of 1 or 4 bits come in the colours of their palette, black and white.
    if pixels.ndim == 3 and few and _is_grey(pixels):
        pixels = pixels[..., 0]
    return _without_alpha(pixels)


def _decode_jp2(data: bytes) -> Decoded:
    start = data.find(headers.JP2[1])
    if start < 0 or len(data) < start + 24:
        raise UnusableError("is cut off: the JPEG 2000 has no codestream")
    headers.check_size(headers.jp2_size(data, start))
    # The decoder fills what is missing, so the end is looked for first.
    if data.find(b"\xff\xd9", start) < 0:
        raise UnusableError("is cut off: the JPEG 2000 has no end")
    return _without_alpha(np.asarray(imagecodecs.jpeg2k_decode(data)))


def _decode_webp(data: bytes) -> Decoded:
    if data[8:12] != headers.WEBP:
        raise UnusableError(f"is not a {KINDS} image")
    headers.check_size(headers.webp_size(data))
    if len(data) < 8 + int.from_bytes(data[4:8], "little"):
        raise UnusableError("is cut off: the WebP is shorter than it says")
    animated = data[12:16] == b"VP8X" and bool(data[20] & 0x02)
    return _first_frame(_without_alpha(imagecodecs.webp_decode(data)), animated)


def _open_with_pillow(data: bytes, kind: str) -> Image.Image:
    """Decode an image whose size was checked."""
    try:
        image = Image.open(io.BytesIO(data), formats=[kind])
        image.load()
    except Exception as error:  # noqa: BLE001 - Pillow may raise anything on a damaged file
        raise UnusableError(f"is damaged ({words(error)})") from None
    return image


def _first_frame(decoded: Decoded, animated: bool) -> Decoded:
    return decoded._replace(notes=(*decoded.notes, ANIMATION_NOTE)) if animated else decoded


def _without_alpha(pixels: np.ndarray) -> Decoded:
    """Name the channels of grey or RGB pixels, and drop the alpha after them."""
    if pixels.ndim == 2:
        return Decoded(pixels[..., None], GREY)
    channels = pixels.shape[2]
    names = RGB if channels > 2 else GREY
    notes = (ALPHA_NOTE,) if channels in (2, 4) else ()
    return Decoded(pixels[..., : len(names)], names, notes)


def _is_grey(pixels: np.ndarray) -> bool:
    return bool((pixels == pixels[..., :1]).all())


def _decode_tiff(path: str, axes: str, numbers: bool) -> Decoded:
    planes = read_tiff(Path(path), axes, whole=True, numbers=numbers)
    _check_single(planes.images)
    return Decoded(planes.images[0], planes.channel_names, tuple(planes.notes))


def _check_single(images: Images) -> None:
    """Refuse what is no single patch before its pixels are read: pages may be many."""
    if len(images) != 1:
        raise UnusableError(
            f"holds {len(images):,} images",
            "open it alone as a stack, or, if they are channels, set axes to CYX",
        )
    height, width = images.sizes[0].tolist()
    if height * width * images.channels > _MOST_CHANNELS * headers.MOST_PIXELS:
        raise UnusableError(
            f"claims {images.channels:,} channels of {width:,} x {height:,} pixels, too large "
            "for a patch",
            "cut it into tiles",
        )
