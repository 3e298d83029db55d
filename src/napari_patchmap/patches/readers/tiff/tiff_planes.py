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

from napari_patchmap.errors import UnusableError
from napari_patchmap.patches.axes import channel_axis, check_axes, check_extent, settle_axes
from napari_patchmap.patches.images import ArrayImages, Images, ListImages
from napari_patchmap.patches.numbers import check_numbers
from napari_patchmap.patches.photometric import Meaning, meaning_of
from napari_patchmap.patches.random_file import RandomFile
from napari_patchmap.patches.readers.flat import FlatImages
from napari_patchmap.patches.readers.tiff.tiff_metadata import (
    channel_names,
    check_complete,
    check_files,
    is_volume,
)
from napari_patchmap.patches.readers.tiff.tiff_pages import Page, PageImages, SinglePages
from napari_patchmap.patches.readers.tiff.tiff_rescue import Stack, rescue
from napari_patchmap.patches.readers.tiff.tiff_series import (
    may_be_slide,
    own_series,
    single_pages,
    with_own_palettes,
)
from napari_patchmap.patches.threads import NAME

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
    numbers: bool = False,
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
    numbers : bool
        Return the numbers as they are stored, as labels have to be: of an image with a palette
        the places in it.
    step : callable
        Called now and then, with how many of how many images are done.
    check : callable
        Called with the images before their pixels are read; may raise.

    Raises
    ------
    UnusableError
    UnclearAxesError
        If the axes that were given cannot be.
    """
    tif = tifffile.TiffFile(path)
    try:
        planes = _read(tif, axes, lazy, numbers, step)
        if lazy:
            return planes
        if planes.lost or planes.cut:
            raise UnusableError("is cut off", "copy or export it again")
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
    tif: tifffile.TiffFile,
    axes: str,
    lazy: bool,
    numbers: bool,
    step: Callable[[int, int], None],
) -> Planes:
    check_files(tif)
    stack, cut = (_within(lambda: rescue(tif), step) if lazy else None), False
    said: list[str] = []
    if stack is None:
        check_complete(tif)
        series = _within(lambda: list(tif.series), step) if lazy else list(tif.series)
        if not series:
            raise UnusableError("holds no image")
        pyramids = [one for one in series if len(one.levels) > 1]
        if tif.is_svs or tif.is_ndpi or any(may_be_slide(one.keyframe) for one in pyramids):
            raise UnusableError(
                "is a slide (an image pyramid) among other images",
                "open it alone, or put slides into a folder of their own",
            )
        series, said = own_series(series)
        first = series[0]
        several = None
        if len(series) > 1:
            several = single_pages(tif, series)
            if several is None:
                raise _several_kinds(series)
        elif axes == "auto" and not numbers:
            several = with_own_palettes(tif, first)
        if several is not None:
            return _single_pages(tif, several, series, numbers, said)
        stack = Stack(first.shape, first.axes, first.keyframe, [], first.dataoffset)
        if stack.offset is None:
            stack = Stack(first.shape, first.axes, first.keyframe, first[:])
    else:
        cut = stack.offset is None and not tif.is_ome
    letters, notes = _letters(tif, stack, axes)
    notes += said
    check_numbers(np.dtype(stack.key.dtype), math.prod(stack.shape))
    meaning = _meaning(stack, letters, numbers)
    letters, images = _images(tif, stack, letters)
    if isinstance(images, FlatImages):
        lost = dict.fromkeys(np.flatnonzero(~images.complete()).tolist(), "is cut off")
    else:
        lost = images.lost()
    kept: Images = images
    names: tuple[str, ...] | None = None
    if meaning is not None:
        kept, names = meaning.applied(images), meaning.names
        notes += meaning.notes
    names = names or channel_names(tif, stack.key, letters, kept)
    costly = not isinstance(images, FlatImages) or images.sequential
    files = {page.parent.filehandle for page in stack.pages if page is not None}
    every = sorted(Path(file.path) for file in files | {tif.filehandle})
    return Planes(kept, names, notes, letters, lost, cut, costly, every)


def _meaning(stack: Stack, letters: str, numbers: bool) -> Meaning | None:
    """Say what the samples of pages mean; None if the axes say that they are no channels."""
    at = stack.axes.find("S")
    several = int(stack.key.samplesperpixel) > 1
    if several and (at < 0 or letters[at] != channel_axis(letters)):
        return None
    return meaning_of(stack.key, planes=several and letters[-1] in "YX", numbers=numbers)


def _within(work: Callable[[], Any], step: Callable[[int, int], None]) -> Any:
    """Do something long in a thread, so that it can be cancelled meanwhile."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            future.set_exception(error)

    Thread(target=run, name=NAME, daemon=True).start()
    while not wait([future], _PAUSE).done:
        step(0, 0)
    return future.result()


def _letters(tif: tifffile.TiffFile, stack: Stack, axes: str) -> tuple[str, list[str]]:
    """Decide the axes of a series, and note what the user should know of it."""
    if axes != "auto":
        return check_axes(axes, len(stack.shape)), []
    return settle_axes(stack.axes, stack.shape, volume=is_volume(tif))


def _images(
    tif: tifffile.TiffFile, stack: Stack, letters: str
) -> tuple[str, FlatImages | PageImages]:
    page = stack.key
    if page.photometric == tifffile.PHOTOMETRIC.PALETTE:
        letters = letters.replace("C", "N" if "N" not in letters else "Q")
    check_extent(stack.shape, letters)
    if stack.offset is not None:
        dtype = np.dtype(page.dtype).newbyteorder(tif.byteorder)
        file = RandomFile(Path(tif.filehandle.path))
        flat = FlatImages(file, stack.offset, dtype, stack.shape, letters)
        tif.close()
        return letters, flat
    return letters, PageImages(tif, stack.pages, stack.shape, letters)


def _single_pages(
    tif: tifffile.TiffFile,
    pages: list[Page],
    series: list[tifffile.TiffPageSeries],
    numbers: bool,
    notes: list[str],
) -> Planes:
    """One image after another, of several sizes or with palettes of their own."""
    for one in series:
        check_numbers(np.dtype(one.dtype), math.prod(one.shape))
    images = SinglePages(tif, pages, numbers)
    if not images.alike:
        raise _several_kinds(series)
    names = images.names or channel_names(tif, series[0].keyframe, "YXS", images)
    every = [Path(tif.filehandle.path)]
    return Planes(
        images, names, images.notes + notes, "NYX", images.lost(), costly=True, files=every
    )


def _several_kinds(series: list[tifffile.TiffPageSeries]) -> UnusableError:
    shapes = ", ".join(sorted({f"{one.axes} {one.shape} {one.dtype}" for one in series})[:3])
    return UnusableError(
        f"holds {len(series)} images of different kinds ({shapes})",
        "save the one you want as a stack of its own",
    )
