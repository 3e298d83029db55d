"""TIFF files of every kind (plain, ImageJ, OME) as planes with named channels."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import tifffile

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.axes import (
    ALPHA_NOTE,
    check_axes,
    check_numbers,
    settle_axes,
)
from napari_patchmap.patches.images import ArrayImages, Images, ListImages
from napari_patchmap.patches.random_file import RandomFile
from napari_patchmap.patches.stacks.flat import FlatImages
from napari_patchmap.patches.stacks.tiff_metadata import (
    channel_names,
    check_complete,
    check_files,
    is_volume,
)
from napari_patchmap.patches.stacks.tiff_pages import PageImages, SinglePages
from napari_patchmap.patches.stacks.tiff_rescue import Stack, rescue

# What tifffile logs of damaged files is said here in one sentence; without a
# handler Python prints it on standard error as well.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

#: Seconds between two reports of progress while tifffile looks through the pages.
_PAUSE = 0.1


@dataclass(frozen=True)
class Planes:
    """Images, and what is known of them.

    Attributes
    ----------
    images : Images
        All of them, also those that are lost.
    channel_names : tuple of str
    notes : list of str
    axes : str
        As they were read.
    lost : dict of int to str
        Which images the file does not hold as a whole, and why in a few words.
    cut : bool
        Whether more images may have followed in a file that is cut off.
    costly : bool
        Whether pixels have to be decoded.
    files : list of Path
        All that were read.
    """

    images: Images
    channel_names: tuple[str, ...]
    notes: list[str]
    axes: str = ""
    lost: dict[int, str] = field(default_factory=dict)
    cut: bool = False
    costly: bool = False
    files: list[Path] = field(default_factory=list)


def read_tiff(
    path: Path,
    axes: str = "auto",
    *,
    lazy: bool = False,
    step: Callable[[int, int], None] = lambda done, total: None,
    check: Callable[[Images], None] = lambda images: None,
) -> Planes:
    """Read every plane of a TIFF file.

    Parameters
    ----------
    path : Path
    axes : str
        ``"auto"`` takes the axes of the metadata: C or S are channels, every
        other axis beside Y and X numbers patches.
    lazy : bool
        Leave the pixels in the file until they are wanted, and accept a file that is
        cut off.
    step : callable
        Called now and then, with how many of how many images are done.
    check : callable
        Called with the images before their pixels are read; may raise.

    Raises
    ------
    PatchError
        With a few words (no file name) that say what is wrong and how to mend it.
    """
    tif = tifffile.TiffFile(path)
    try:
        planes = _read(tif, axes, lazy, step)
        if lazy:
            return planes
        if planes.lost or planes.cut:
            raise PatchError("is cut off; copy or export it again")
        images = planes.images
        check(images)
        every = range(len(images))
        kept: Images = (
            ArrayImages(images.take(every))
            if images.uniform
            else ListImages([images[i] for i in every])
        )
    except BaseException:
        tif.close()
        raise
    tif.close()
    return Planes(kept, planes.channel_names, planes.notes, planes.axes)


def _read(
    tif: tifffile.TiffFile, axes: str, lazy: bool, step: Callable[[int, int], None]
) -> Planes:
    check_files(tif)
    series: list[tifffile.TiffPageSeries] = []
    stack, cut = (_within(lambda: rescue(tif), step) if lazy else None), False
    if stack is None:
        check_complete(tif)
        series = _within(lambda: list(tif.series), step) if lazy else list(tif.series)
        if not series:
            raise PatchError("holds no image")
        first = series[0]
        if tif.is_svs or tif.is_ndpi or any(len(one.levels) > 1 for one in series):
            raise PatchError(
                "is a slide (an image pyramid) among other images; open it alone, or put "
                "slides into a folder of their own"
            )
        stack = Stack(first.shape, first.axes, first.keyframe, [], first.dataoffset)
        if stack.offset is None:
            stack = Stack(first.shape, first.axes, first.keyframe, first[:])
    else:
        cut = stack.offset is None and not tif.is_ome
    letters, notes = _letters(tif, stack, axes)
    alpha = has_alpha(stack.key, letters)
    if alpha:
        notes.append(ALPHA_NOTE)
    images: FlatImages | PageImages | SinglePages
    if len(series) > 1:
        images = _single_pages(tif, series, alpha)
    else:
        letters, images = _images(tif, stack, letters)
    if isinstance(images, FlatImages):
        lost = dict.fromkeys(np.flatnonzero(~images.complete()).tolist(), "is cut off")
    else:
        lost = images.lost()
    kept: Images = images
    if alpha and not isinstance(images, SinglePages):
        kept = images.with_channels(range(images.channels - 1))
    names = channel_names(tif, stack.key, letters, kept)
    costly = not isinstance(images, FlatImages) or images.sequential
    files = {page.parent.filehandle for page in stack.pages if page is not None}
    every = sorted(Path(file.path) for file in files | {tif.filehandle})
    return Planes(kept, names, notes, letters, lost, cut, costly, every)


def _within(work: Callable[[], Any], step: Callable[[int, int], None]) -> Any:
    """Do something long in a thread, so that it can be cancelled meanwhile."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    while not wait([future], _PAUSE).done:
        step(0, 0)
    return future.result()


def _letters(tif: tifffile.TiffFile, stack: Stack, axes: str) -> tuple[str, list[str]]:
    """Decide the axes of a series, and note what the user should know of it."""
    if axes != "auto":
        return check_axes(axes, len(stack.shape), "the file"), []
    return settle_axes(stack.axes, stack.shape, volume=is_volume(tif))


def _images(
    tif: tifffile.TiffFile, stack: Stack, letters: str
) -> tuple[str, FlatImages | PageImages]:
    page = stack.key
    check_numbers(np.dtype(page.dtype), math.prod(stack.shape), "the file")
    lookup = None
    if page.photometric == tifffile.PHOTOMETRIC.PALETTE and page.colormap is not None:
        lookup = (np.asarray(page.colormap) >> 8).astype(np.uint8).T
        letters = letters.replace("C", "N" if "N" not in letters else "Q")
    if stack.offset is not None:
        dtype = np.dtype(page.dtype).newbyteorder(tif.byteorder)
        file = RandomFile(Path(tif.filehandle.path))
        flat = FlatImages(file, stack.offset, dtype, stack.shape, letters, lookup=lookup)
        tif.close()
        return letters, flat
    return letters, PageImages(tif, stack.pages, stack.shape, letters, lookup)


def _single_pages(
    tif: tifffile.TiffFile, series: list[tifffile.TiffPageSeries], alpha: bool
) -> SinglePages:
    """One image after another, each a series of its own: patches, if they are alike."""
    first = series[0]
    alike = {(one.axes, one.shape[2:], one.dtype) for one in series}
    if len(alike) > 1 or first.axes not in ("YX", "YXS"):
        shapes = ", ".join(sorted({f"{one.axes} {one.shape}" for one in series})[:3])
        raise PatchError(
            f"holds {len(series)} images of different kinds ({shapes}); save the one you "
            "want as a stack of its own"
        )
    check_numbers(np.dtype(first.dtype), math.prod(first.shape), "the file")
    return SinglePages(tif, [one.keyframe for one in series], alpha)


def has_alpha(page: tifffile.TiffPage, letters: str) -> bool:
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
