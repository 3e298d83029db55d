"""What the numbers that a TIFF page stores stand for, brought to grey or to red, green, blue.

A page says so in its tags: whether 0 is black or white, how many bits hold a number, whether
it is a place in a palette, an amount of ink, or a colour in another space than RGB.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import numpy as np
import tifffile

from napari_patchmap.errors import UnusableError
from napari_patchmap.patches.axes import ALPHA_NOTE, RGB
from napari_patchmap.patches.colour_spaces import (
    FULL_RANGE,
    WEIGHTS,
    cmyk_to_rgb,
    lab_to_rgb,
    ycbcr_to_rgb,
)
from napari_patchmap.patches.images import Images
from napari_patchmap.patches.numbers import pixel_type

#: Tags that tifffile keeps no attribute for.
_COEFFICIENTS, _REFERENCES, _PROFILE, _INKS = 529, 532, 34675, 332

#: How colours are stored that cannot be brought to RGB here.
_REFUSED = {
    10: "ITU CIELab",
    32803: "the raw mosaic (Bayer) of a camera",
    32844: "logarithms of luminance (LogL)",
    32845: "logarithms of luminance (LogLuv)",
}

#: Compression of old Aperio slides, which store YCbCr without saying so.
APERIO_YCBCR = 33003

#: What was done to the stored numbers, for people.
CMYK_NOTE = "CMYK (printing inks) was converted to RGB."
LAB_NOTE = "CIELab was converted to RGB."
YCBCR_NOTE = "YCbCr was converted to RGB."
PLANES_NOTE = "Planes are kept as channels, also the one that the file declares transparency."
SPOT_NOTE = "Inks beside cyan, magenta, yellow and black were left out."
NEGATED_NOTE = "White is stored as the smallest number, so the numbers were negated."

Convert = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Meaning:
    """How the samples of a page become channels.

    Attributes
    ----------
    convert : callable or None
        Takes pixels ``(..., sample)`` as stored; None if they are what is meant.
    samples, channels : int
        How many are stored, and how many there are afterwards.
    dtype : numpy.dtype
        Of the result.
    names : tuple of str or None
        Names of the channels, where the way of storing gives them.
    notes : tuple of str
        What people should know, a sentence each.
    """

    convert: Convert | None
    samples: int
    channels: int
    dtype: np.dtype
    names: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()

    def applied(self, images: Images) -> Images:
        """Return images as they are meant; their channels are samples, or pages of one."""
        if self.convert is None:
            return images
        channels = self.channels if self.channels != self.samples else None
        return images.converted(self.convert, channels=channels, dtype=self.dtype)


def meaning_of(
    page: tifffile.TiffPage, *, planes: bool = False, numbers: bool = False
) -> Meaning:
    """Say what the samples of a page stand for.

    ``planes`` says that they are stored one plane after another: tifffile calls three or four
    leading planes colours on its own, so these stay as they are. ``numbers`` asks for the
    numbers themselves, as of labels: of a palette the places in it.

    Raises
    ------
    UnusableError
        If that cannot be told, or cannot be made into RGB.
    """
    if page.dtype is None:
        raise UnusableError("stores numbers of a type that is not known", "save it again")
    kind, samples = int(page.photometric), int(page.samplesperpixel)
    dtype = pixel_type(page.dtype)
    if kind in _REFUSED:
        raise UnusableError(
            f"stores {_REFUSED[kind]}, which is no picture yet",
            "save it as RGB",
        )
    extra = [int(one) for one in page.extrasamples]
    first = samples - len(extra)
    alpha = [first + i for i, one in enumerate(extra) if one in (1, 2)]
    kept = [i for i in range(samples) if i not in alpha]
    stored = Meaning(None, samples, samples, dtype)
    dropped = replace(
        stored,
        convert=lambda pixels: pixels[..., kept],
        channels=len(kept),
        notes=(ALPHA_NOTE,),
    )
    if numbers:
        return dropped if alpha else stored
    colours = _colours(page, kind, first, dtype)
    if colours is None and alpha and planes:
        return replace(_spread(page, stored), notes=(PLANES_NOTE,))
    plain = dropped if alpha else stored
    if alpha and 1 in extra and dtype.kind == "u":  # associated: colours are multiplied by it
        top = _top(page)
        whole = partial(_divided, alpha=first + extra.index(1), first=first, top=top)
        plain = replace(dropped, convert=lambda pixels: whole(pixels)[..., kept])
    if colours is None:
        return _spread(page, plain)
    inner, after = plain.convert, colours.convert
    assert after is not None
    if inner is None:
        return colours
    notes = colours.notes + plain.notes
    return replace(colours, convert=lambda pixels: after(inner(pixels)), notes=notes)


def _colours(page: tifffile.TiffPage, kind: int, first: int, dtype: np.dtype) -> Meaning | None:
    """Say how colours in another space than RGB are brought to it; None if there are none."""
    space, samples, tag = tifffile.PHOTOMETRIC, int(page.samplesperpixel), page.tags.valueof
    if kind == space.PALETTE and page.colormap is not None:
        return _palette(page)
    small = dtype.kind in "ui" and dtype.itemsize <= 2
    if kind == space.SEPARATED:
        if first != 4 or tag(_INKS, 1) != 1 or dtype.kind != "u" or not small:
            raise UnusableError(
                f"stores {first} printing inks that are not CMYK",
                "save it as RGB",
            )
        notes = (CMYK_NOTE, *([SPOT_NOTE] if 0 in page.extrasamples else []))
        convert = partial(cmyk_to_rgb, top=_top(page), profile=tag(_PROFILE, None))
        return Meaning(convert, samples, 3, dtype, RGB, notes)
    if kind in (space.CIELAB, space.ICCLAB):
        if first == 1:
            return None  # lightness alone is grey
        if first != 3 or not small:
            raise UnusableError("stores CIELab in a way that is not known", "save it as RGB")
        unsigned = np.dtype(f"u{dtype.itemsize}")
        convert = partial(lab_to_rgb, icc=kind == space.ICCLAB)
        return Meaning(convert, samples, 3, unsigned, RGB, (LAB_NOTE,))
    aperio = int(page.compression) == APERIO_YCBCR
    ycbcr = kind == space.YCBCR and int(page.compression) not in _DECODED
    if ycbcr and page.is_subsampled:
        raise UnusableError(
            "stores YCbCr with fewer colours than pixels, not as JPEG",
            "save it as RGB",
        )
    if first == 3 and (aperio or ycbcr):
        if dtype != np.uint8:
            raise UnusableError("stores YCbCr in more than 8 bits", "save it as RGB")
        coefficients = _fractions(tag(_COEFFICIENTS, ()), WEIGHTS)
        references = _fractions(tag(_REFERENCES, ()), FULL_RANGE)
        convert = partial(ycbcr_to_rgb, coefficients=coefficients, references=references)
        notes = () if aperio else (YCBCR_NOTE,)
        return Meaning(convert, samples, 3, dtype, RGB, notes)
    return None


#: Compressions whose decoders return RGB.
_DECODED = {int(one) for one in tifffile.TIFF.IMAGE_COMPRESSIONS} - {APERIO_YCBCR}


def _spread(page: tifffile.TiffPage, plain: Meaning) -> Meaning:
    """Spread numbers of a few bits over all of 0 to 255, and make black of 0."""
    white = page.photometric == tifffile.PHOTOMETRIC.MINISWHITE
    bits = page.bitspersample
    few = isinstance(bits, int) and 1 < bits < 8 and plain.dtype == np.uint8
    if not white and not few:
        return plain
    notes, inner = plain.notes, plain.convert
    spread: Any
    if plain.dtype.kind == "f":
        notes, spread = (*notes, NEGATED_NOTE), np.negative
    elif plain.dtype.kind == "i":
        spread = np.invert
    elif few:
        top = _top(page)
        table = np.rint(np.arange(top + 1) * 255 / top).astype(np.uint8)
        table = np.pad(table[::-1] if white else table, (0, 255 - top), mode="edge")
        spread = table.__getitem__
    else:
        spread = partial(np.subtract, plain.dtype.type(_top(page)))
    convert = spread if inner is None else lambda pixels: spread(inner(pixels))
    return replace(plain, convert=cast(Convert, convert), notes=notes)


def _palette(page: tifffile.TiffPage) -> Meaning:
    colours = np.asarray(page.colormap)
    # Some programs write colours of 8 bits where 16 are asked for.
    table = (colours if colours.max() < 256 else colours >> 8).astype(np.uint8).T
    known = len(table)

    def convert(pixels: np.ndarray) -> np.ndarray:
        return cast(np.ndarray, table[np.minimum(pixels[..., 0], known - 1)])

    return Meaning(convert, int(page.samplesperpixel), 3, np.dtype(np.uint8), RGB)


def _divided(pixels: np.ndarray, alpha: int, first: int, top: int) -> np.ndarray:
    """Undo the multiplication of colours by alpha; fully transparent ones stay."""
    share = pixels[..., alpha : alpha + 1].astype(np.float64)
    out = pixels.copy()
    part = (share > 0) & (share < top)
    if part.any():
        colours = pixels[..., :first] * (top / np.where(part, share, top))
        out[..., :first] = np.clip(np.rint(colours), 0, top)
    return out


def _top(page: tifffile.TiffPage) -> int:
    """Return the largest number that the bits of a page hold; of one bit, as it is read."""
    bits = page.bitspersample
    bits = bits if isinstance(bits, int) else 8 * page.dtype.itemsize
    return 255 if bits == 1 else int(2**bits - 1)


def _fractions(values: object, default: tuple[float, ...]) -> tuple[float, ...]:
    """Return rational numbers, stored as numerator and denominator, as floats."""
    flat = tuple(values) if isinstance(values, tuple | list) else ()
    if len(flat) != 2 * len(default) or 0 in flat[1::2]:
        return default
    return tuple(a / b for a, b in zip(flat[::2], flat[1::2], strict=True))
