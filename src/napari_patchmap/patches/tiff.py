"""TIFF files of every kind (plain, ImageJ, OME) as planes with named channels."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile

from napari_patchmap.errors import PatchError, UnclearAxesError
from napari_patchmap.patches.axes import (
    ALPHA_NOTE,
    arrange,
    check_axes,
    checked_numbers,
)
from napari_patchmap.patches.patchset import Images
from napari_patchmap.patches.tiff_metadata import (
    channel_names,
    check_complete,
    check_segments,
)

# What tifffile logs of damaged files is said here in one sentence; without a
# handler Python prints it on standard error as well.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

#: Pages decoded in one go, between two reports of progress.
_PAGES = 256

#: More "channels" than this and no other axis: ImageJ's way of writing a plain stack.
_MANY = 8


@dataclass(frozen=True)
class Planes:
    """Images, in one array if their sizes agree, and the names of their channels."""

    images: Images
    channel_names: tuple[str, ...]
    notes: list[str]


def read_tiff(
    path: Path,
    axes: str = "auto",
    *,
    lazy: bool = False,
    step: Callable[[int, int], None] = lambda done, total: None,
) -> Planes:
    """Read every plane of a TIFF file.

    Parameters
    ----------
    path : Path
    axes : str
        ``"auto"`` takes the axes of the metadata: C or S are channels, every
        other axis beside Y and X numbers patches.
    lazy : bool
        Map pixels that lie in the file in one piece and uncompressed, instead of
        reading them.
    step : callable
        Called with how many of how many pages are read.

    Raises
    ------
    PatchError
        With a few words (no file name) that say what is wrong and how to mend it.
    """
    with tifffile.TiffFile(path) as tif:
        check_complete(tif)
        series = list(tif.series)
        if not series:
            raise PatchError("holds no image")
        if tif.is_svs or tif.is_ndpi or any(len(one.levels) > 1 for one in series):
            raise PatchError(
                "is a slide (an image pyramid), not a stack; cut it into tiles first"
            )
        letters, notes = _letters(series[0], axes)
        if _has_alpha(series[0].keyframe, letters):
            notes.append(ALPHA_NOTE)
        if len(series) == 1:
            planes = _planes(tif, series[0], letters, lazy, step)
            return Planes(planes, channel_names(tif, series[0], letters, planes), notes)
        # One image after another, each a series of its own: patches, if they are alike.
        first = series[0]
        if any(
            (one.axes, one.shape[2:], one.dtype) != (first.axes, first.shape[2:], first.dtype)
            for one in series
        ) or not first.axes.startswith("YX"):
            shapes = ", ".join(sorted({f"{one.axes} {one.shape}" for one in series})[:3])
            raise PatchError(
                f"holds {len(series)} images of different kinds ({shapes}); save the one you "
                "want as a stack of its own"
            )
        single = []
        for done, one in enumerate(series, 1):
            single.append(_planes(tif, one, letters, False, lambda done, total: None)[0])
            step(done, len(series))
        images: Images = np.stack(single) if len({p.shape for p in single}) == 1 else single
        return Planes(images, channel_names(tif, first, letters, images), notes)


def _letters(series: tifffile.TiffPageSeries, axes: str) -> tuple[str, list[str]]:
    """Decide the axes of a series, and note what the user should know of it."""
    name = "the file"
    if axes != "auto":
        return check_axes(axes, len(series.shape), name), []
    letters = series.axes
    if not {"Y", "X"} <= set(letters):
        raise PatchError(
            f"has the axes {letters}, without Y and X; it is not a stack of images"
        )
    lead = [
        (axis, length)
        for axis, length in zip(letters, series.shape, strict=True)
        if axis not in "YXSC" and length > 1
    ]
    if len(lead) > 1:
        listed = " and ".join(f"{axis} ({length})" for axis, length in lead)
        raise UnclearAxesError(
            f"has more than one axis that could number patches, {listed}; set axes to "
            f"{letters} to take every plane as a patch, or save a projection"
        )
    count = dict(zip(letters, series.shape, strict=True)).get("C", 1)
    if not lead and count > 1 and ("S" in letters or count > _MANY):
        # tifffile and some ImageJ macros write a stack's planes as channels.
        return letters.replace("C", "N"), [f"Its {count:,} channels were taken as patches."]
    return letters, []


def _planes(
    tif: tifffile.TiffFile,
    series: tifffile.TiffPageSeries,
    letters: str,
    lazy: bool,
    step: Callable[[int, int], None],
) -> np.ndarray:
    """Read a series as ``(n, height, width, channel)``."""
    if lazy and series.dataoffset is not None:
        dtype = np.dtype(series.dtype).newbyteorder(tif.byteorder)
        stack: np.ndarray = np.memmap(
            tif.filehandle.path, dtype, "r", offset=series.dataoffset, shape=series.shape
        )
    else:
        stack = _read_pages(tif, series, step)
    page = series.keyframe
    if page.photometric == tifffile.PHOTOMETRIC.PALETTE and page.colormap is not None:
        colours = (np.asarray(page.colormap) >> 8).astype(np.uint8).T
        stack, letters = colours[stack], letters + "S"
    images = arrange(checked_numbers(stack, "the file"), letters)
    return images[..., :-1] if _has_alpha(page, letters) else images


def _read_pages(
    tif: tifffile.TiffFile,
    series: tifffile.TiffPageSeries,
    step: Callable[[int, int], None],
) -> np.ndarray:
    pages = series.pages
    if len(pages) == 1 or series.dataoffset is not None:
        for page in pages if series.dataoffset is None else ():
            check_segments(tif, page)
        return tif.asarray(series=series).reshape(series.shape)
    inside = series.keyframe.shape
    out = np.empty((len(pages), *inside), series.dtype)
    if out.size != np.prod(series.shape):
        return series.asarray()
    for start in range(0, len(pages), _PAGES):
        part = range(start, min(start + _PAGES, len(pages)))
        for i in part:
            check_segments(tif, pages[i])
        read = tif.asarray(key=slice(part.start, part.stop), series=series)
        out[part.start : part.stop] = read.reshape(-1, *inside)
        step(part.stop, len(pages))
    return out.reshape(series.shape)


def _has_alpha(page: tifffile.TiffPage, letters: str) -> bool:
    """Whether the last sample is alpha, said so in the file and stored pixel by pixel.

    tifffile declares the fourth of any four leading planes alpha on its own, so
    planes are always channels.
    """
    return (
        letters[-1] == "S"
        and page.photometric in (tifffile.PHOTOMETRIC.RGB, tifffile.PHOTOMETRIC.MINISBLACK)
        and len(page.extrasamples) == 1
        and int(page.extrasamples[0]) in (1, 2)
    )
