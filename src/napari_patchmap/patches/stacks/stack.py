"""Stacks in one file: TIFF and NPY."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.foreign import decoding
from napari_patchmap.patches.axes import check_extent
from napari_patchmap.patches.cache.fingerprint import fingerprint
from napari_patchmap.patches.numbers import check_numbers
from napari_patchmap.patches.patchset import Skipped, box_table
from napari_patchmap.patches.random_file import RandomFile
from napari_patchmap.patches.source import LoadCancelled, Source, Watch
from napari_patchmap.patches.stacks.arrays import cut_off, described, plain_axes
from napari_patchmap.patches.stacks.flat import FlatImages
from napari_patchmap.patches.stacks.npy_head import NotNumpyError, read_head, refuse_objects
from napari_patchmap.patches.stacks.tiff import read_tiff


def read_tiff_stack(path: Path, axes: str, watch: Watch) -> Source:
    """Read a TIFF stack; pixels stored in one piece are mapped, not read.

    Raises
    ------
    PatchError
        If the file is damaged or holds one single image.
    UnclearAxesError
        If its axes are ambiguous, or not those that were given.
    """
    with decoding(path, "is not a TIFF that can be read", "copy or export it again"):
        try:
            planes = read_tiff(path, axes, lazy=True, step=watch.step)
        except LoadCancelled:
            raise
        except PatchError as error:
            raise error.of(path) from None
    images, count = planes.images, len(planes.images)
    if count == 1 and not planes.cut:
        height, width = images.sizes[0].tolist()
        channels = images.channels
        kind = f"{channels} channels" if channels > 1 else "one channel"
        raise PatchError(
            f"{path} is one single image ({width} x {height}, {kind}); give a stack of many "
            "patches, or a folder with one image file a patch; or have patches cut out of it, "
            "around the objects of its label image (--objects) or as tiles (--tile-size)."
        )
    whole = np.ones(count, bool)
    whole[list(planes.lost)] = False
    if not whole.any():
        raise PatchError(f"{path} is cut off before its first image; copy or export it again.")
    source = Source(images, box_table(path.name, np.arange(count), images.sizes), ())
    source.channel_names, source.notes = planes.channel_names, planes.notes
    if planes.lost:
        frames = np.flatnonzero(whole)
        source.images, source.table = images.picked(frames), source.table.iloc[frames]
        source.skipped = [
            Skipped(f"{path.name} [{frame}]", why) for frame, why in sorted(planes.lost.items())
        ]
        source.notes.append(
            f"{path.name} is not whole: {len(planes.lost):,} of its {count:,} patches were "
            "left out."
        )
    if planes.cut:
        source.skipped.append(Skipped(path.name, f"is cut off after {count:,} patches"))
        source.notes.append(
            f"{path.name} is cut off: what came after its first {count:,} patches is lost."
        )
    if planes.costly:
        source.fingerprint = fingerprint(
            "tiff", [(file.name, file) for file in planes.files], axes=planes.axes
        )
    return source


def read_npy(path: Path, axes: str, watch: Watch) -> Source:
    """Open a NumPy file; its pixels are read when they are used.

    Of a file that is cut off, the patches that it holds as a whole are used.

    Raises
    ------
    PatchError
        If the file is damaged or would run code, or its axes are ambiguous.
    """
    with decoding(path, "is not a complete NumPy file", "copy or save it again"):
        try:
            with path.open("rb") as stream:
                head = read_head(stream)
        except NotNumpyError:
            raise PatchError(f"{path} is not a NumPy file; copy or save it again.") from None
        file = RandomFile(path)
        if head.dtype.hasobject:
            raise refuse_objects(path, "save the patches as one plain array of numbers")
        check_numbers(head.dtype, math.prod(head.shape), path.name)
        letters = plain_axes(head.shape, path.name, axes)
        check_extent(head.shape, letters, path.name)
        try:
            images = FlatImages(
                file, head.offset, head.dtype, head.shape, letters, fortran=head.fortran
            )
        except PatchError as error:
            raise error.of(path) from None
    whole = images.complete()
    if not whole.any():
        raise PatchError(
            f"{path} is not a complete NumPy file (no patch is whole); copy or save it again."
        )
    frames = np.flatnonzero(whole)
    kept = images if whole.all() else images.picked(frames)
    source = described(kept, letters, path.name, watch, frames=frames)
    source.skipped, said = cut_off(whole, path.name)
    source.notes += said
    if images.sequential:
        source.fingerprint = fingerprint("npy", [(path.name, path)], axes=letters)
    return source
