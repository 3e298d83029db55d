"""Which images of a TIFF file are meant: not masks, nor smaller copies of the others."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import tifffile

from napari_patchmap.patches.axes import UNNAMED
from napari_patchmap.patches.readers.tiff.tiff_pages import Page

#: Said of copies of an image beside it, such as thumbnails and the levels of a pyramid.
COPIES_NOTE = "Smaller copies of an image in its own file were left out."

#: Bits of the tag NewSubfileType: a smaller copy, or a mask, of another image.
_REDUCED, _MASK = 1, 4

#: A slide is at least so long, in pixels, and stored in tiles: a pyramid is made to look
#: at parts of it. Without tiles only what is far too large for a patch is taken for one.
_TILED, _LARGE = 448, 4096


def may_be_slide(page: tifffile.TiffPage) -> bool:
    """Say whether an image that has smaller copies is a slide, not a patch with a thumbnail."""
    longest = max(page.imagelength, page.imagewidth)
    if not page.is_tiled:
        return longest >= _LARGE
    several = page.imagelength > page.tilelength or page.imagewidth > page.tilewidth
    return longest >= _LARGE or (several and longest >= _TILED)


def own_series(
    series: Sequence[tifffile.TiffPageSeries],
) -> tuple[list[tifffile.TiffPageSeries], list[str]]:
    """Leave out masks and smaller copies of other images; return also what to note."""
    kept = [one for one in series if not int(one.keyframe.subfiletype) & (_REDUCED | _MASK)]
    kept = kept or list(series)
    copies = len(kept) < len(series) or any(len(one.levels) > 1 for one in kept)
    return kept, [COPIES_NOTE] if copies else []


def single_pages(series: Sequence[tifffile.TiffPageSeries]) -> list[Page] | None:
    """Return the pages of several series in the order of the file, each one image.

    None if they are not: with axes that mean something, or without a page for each image.
    """
    pages: list[Page] = []
    for one in series:
        lead = one.axes.removesuffix(one.keyframe.axes)
        if one.keyframe.axes not in ("YX", "YXS", "SYX") or set(lead) - set(UNNAMED):
            return None
        count = math.prod(one.shape[: len(lead)])
        own = [page for page in one.pages if page is not None]
        if len(own) != count:
            return None
        pages += own
    return sorted(pages, key=lambda page: page.index if page is not None else 0)


def with_own_palettes(
    tif: tifffile.TiffFile, series: tifffile.TiffPageSeries
) -> list[Page] | None:
    """Return the pages of a series whose palettes differ, else None."""
    key = series.keyframe
    if key.photometric != tifffile.PHOTOMETRIC.PALETTE or series.dataoffset is not None:
        return None
    if single_pages([series]) is None:
        return None
    pages: list[Page] = [
        tif.pages.get(page.index, aspage=True) for page in series.pages if page is not None
    ]
    same = all(
        isinstance(page, tifffile.TiffPage)
        and page.colormap is not None
        and key.colormap is not None
        and np.array_equal(page.colormap, key.colormap)
        for page in pages
    )
    return None if same else pages
