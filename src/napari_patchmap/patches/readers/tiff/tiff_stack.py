"""A TIFF file that holds many patches."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_patchmap.errors import PatchError, SingleImageError
from napari_patchmap.foreign import decoding
from napari_patchmap.patches.box_table import IMAGE, box_table
from napari_patchmap.patches.cache.fingerprint import fingerprint
from napari_patchmap.patches.patchset import Skipped
from napari_patchmap.patches.readers.tiff.tiff_planes import read_tiff
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.source import Source
from napari_patchmap.patches.watch import Watch


def read(request: OpenRequest, watch: Watch) -> Source:
    """Read a TIFF stack; pixels stored in one piece are mapped, not read.

    Raises
    ------
    PatchError
        If the file is damaged.
    SingleImageError
        If it holds one single image.
    UnclearAxesError
        If its axes are ambiguous, or not those that were given.
    """
    path = Path(request.path)
    with decoding(path, "is not a TIFF that can be read", "copy or export it again"):
        planes = read_tiff(path, request.axes)
    images, count = planes.images, len(planes.images)
    if count == 1 and not planes.cut:
        height, width = images.sizes[0].tolist()
        channels = images.channels
        kind = f"{channels} channels" if channels > 1 else "one channel"
        raise SingleImageError(
            f"{path} is one single image ({width} x {height}, {kind}); give a stack of many "
            "patches, or a folder with one image file a patch; or have patches cut out of it, "
            "around the objects of its label image (--objects) or as tiles (--tile-size).",
            ("tiles", "objects"),
        )
    if len(planes.lost) == count:
        raise PatchError(f"{path} is cut off before its first image; copy or export it again.")
    table = box_table(path.name, np.arange(count), images.sizes)
    source = Source(images, table, planes.channel_names, notes=planes.notes)
    if planes.parts:
        names, counts = zip(*planes.parts, strict=True)
        table[IMAGE] = np.repeat(np.array(names, object), counts)
        source.notes.append(
            f"{len(names):,} images of {path.name} were read as one set; the column {IMAGE} "
            "says which."
        )
    if planes.lost:
        source.leave_out(planes.lost)
        source.notes.append(
            f"{path.name} is not whole: {len(planes.lost):,} of its {count:,} patches were "
            "skipped."
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
