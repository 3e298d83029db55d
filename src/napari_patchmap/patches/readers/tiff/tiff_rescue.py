"""What can still be read of a TIFF file that is cut off, half copied or half written.

tifffile leaves out what it cannot reach, or reads no series at all, without saying how many
images are lost.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import tifffile

from napari_patchmap.patches.readers.tiff.tiff_metadata import chain_is_whole, is_described
from napari_patchmap.patches.readers.tiff.tiff_pages import Page


@dataclass(frozen=True)
class Stack:
    """One array in a TIFF file.

    Attributes
    ----------
    shape : tuple of int
    axes : str
    key : TiffPage
        That all pages resemble.
    pages : list of TiffPage, TiffFrame or None
        None where the file lacks one; empty if there is an ``offset``.
    offset : int or None
        Where the array begins in the file, if it lies there uncompressed in one piece.
    """

    shape: tuple[int, ...]
    axes: str
    key: tifffile.TiffPage
    pages: list[Page]
    offset: int | None = None


def rescue(tif: tifffile.TiffFile) -> Stack | None:
    """Find the array of a file whose chain of pages leads out of it.

    It has the shape that it had, if the file still says so, else that of the pages that are
    there. None if the file is whole, or too little of it is left.
    """
    if chain_is_whole(tif) or not is_described(tif):
        return None
    first = tif.pages.first
    if not first.shape:
        return None
    if tif.is_ome:
        return _as_ome(tif)
    said = _imagej_array(tif, first) if tif.is_imagej else _shaped_array(tif, first)
    if said is not None:
        shape, axes = said
        if first.is_final:
            return Stack(shape, axes, first, [], first.dataoffsets[0])
        if len(shape) - len(first.shape) > 1:
            return None  # which page is which cannot be told any more
    pages: list[Page] = []
    for number in itertools.count():
        try:
            page = tif.pages[number]
        except Exception:  # noqa: BLE001 - whatever tifffile raises, the pages end here
            break
        if page.shape != first.shape or page.dtype != first.dtype:
            return None
        pages.append(page)
    return Stack((len(pages), *first.shape), "I" + first.axes, first, pages)


def _as_ome(tif: tifffile.TiffFile) -> Stack | None:
    """Take what an OME description says; tifffile leaves out the pages that are not there."""
    series = tif.series
    if len(series) != 1 or series[0].kind != "ome" or len(series[0].levels) > 1:
        return None
    one = series[0]
    count = math.prod(one.shape) // max(1, math.prod(one.keyframe.shape))
    pages = list(one.pages)[:count]
    return Stack(one.shape, one.axes, one.keyframe, pages + [None] * (count - len(pages)))


def _imagej_array(
    tif: tifffile.TiffFile, page: tifffile.TiffPage
) -> tuple[tuple[int, ...], str] | None:
    """Shape and axes of an ImageJ hyperstack, whose planes go through channels first."""
    known = tif.imagej_metadata or {}
    if known.get("order", "czt").lower() not in ("czt", "default"):
        return None
    lengths = [known.get(key, 1) for key in ("frames", "slices", "channels")]
    if "S" in page.axes:
        lengths[2] = 1
    if math.prod(lengths) == 1:
        lengths[0] = known.get("images", 1)
    lead = [(n, axis) for n, axis in zip(lengths, "TZC", strict=True) if n > 1]
    shape = (*(n for n, _ in lead), *page.shape)
    return shape, "".join(axis for _, axis in lead) + page.axes


def _shaped_array(
    tif: tifffile.TiffFile, page: tifffile.TiffPage
) -> tuple[tuple[int, ...], str] | None:
    """Shape and axes as tifffile notes them for the first array it writes."""
    known = tif.shaped_metadata
    if not known or len(known) > 1:
        return None
    shape = tuple(known[0].get("shape", ()))
    lead = len(shape) - len(page.shape)
    if lead < 1 or shape[lead:] != page.shape:
        return None
    axes = known[0].get("axes", "")
    if len(axes) != len(shape):
        axes = ("I" if lead == 1 else "Q" * lead) + page.axes
    return shape, axes
