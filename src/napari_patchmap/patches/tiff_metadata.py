"""What a TIFF file says of itself: whether it is whole, and what its channels are called."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Literal

import numpy as np
import tifffile

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.axes import channel_axis, default_names
from napari_patchmap.patches.patchset import Images

#: The tag in which ImageJ, OME and tifffile write axes and names.
_DESCRIPTION = 270


def check_complete(tif: tifffile.TiffFile) -> None:
    """Raise if the pages or their description lead out of the file, as in one half written.

    tifffile ends the chain of pages there, or goes on without the axes that an
    OME description holds, and returns what it has without an error.
    """
    file, layout = tif.filehandle, tif.tiff
    order: Literal["little", "big"] = "little" if tif.byteorder == "<" else "big"

    def number(length: int) -> int:
        return int.from_bytes(file.read(length), order)

    end = tif.pages.next_page_offset
    if end is not None and file.size >= end + layout.offsetsize:
        file.seek(end)
        chain_ends = number(layout.offsetsize) == 0
        first = tif.pages.first
        file.seek(first.offset)
        tags = file.read(number(layout.tagnosize) * layout.tagsize)
        codes = [tags[i : i + 2] for i in range(0, len(tags), layout.tagsize)]
        described = _DESCRIPTION.to_bytes(2, order) in codes
        if chain_ends and (not described or _DESCRIPTION in first.tags):
            return
    raise PatchError("is cut off; copy or export it again")


def check_segments(
    tif: tifffile.TiffFile, page: tifffile.TiffPage | tifffile.TiffFrame | None
) -> None:
    if page is None:
        raise PatchError("is incomplete: a page is missing; copy or export it again")
    # The JPEG decoder fills a strip that is cut off with grey instead of failing.
    ends = (a + b for a, b in zip(page.dataoffsets, page.databytecounts, strict=False))
    if max(ends, default=0) > tif.filehandle.size:
        raise PatchError("is cut off; copy or export it again")


def channel_names(
    tif: tifffile.TiffFile,
    series: tifffile.TiffPageSeries,
    letters: str,
    images: Images,
) -> tuple[str, ...]:
    """Name the channels from OME or ImageJ metadata, else as plain arrays' are."""
    channels, dtype = images[0].shape[-1], np.asarray(images[0]).dtype
    if channel_axis(letters) == "C":
        named = _ome_names(tif) if tif.is_ome else _imagej_names(tif, channels)
        if len(named) == channels == len(set(named)):
            return tuple(named)
        # Axes that say C mean stains, three of them too.
        return default_names(channels, np.dtype(np.uint16), last=False)
    colour = series.keyframe.photometric == tifffile.PHOTOMETRIC.PALETTE or letters[-1] == "S"
    return default_names(channels, dtype, last=colour)


def _ome_names(tif: tifffile.TiffFile) -> list[str]:
    try:
        root = ElementTree.fromstring(tif.ome_metadata or "")
    except ElementTree.ParseError:
        return []
    image = next((node for node in root.iter() if node.tag.endswith("}Image")), root)
    nodes = (node for node in image.iter() if node.tag.endswith("}Channel"))
    return [name for node in nodes if (name := node.get("Name"))]


def _imagej_names(tif: tifffile.TiffFile, channels: int) -> list[str]:
    """Take the labels of the first planes; ImageJ counts through the channels first."""
    labels = (tif.imagej_metadata or {}).get("Labels", []) if tif.is_imagej else []
    return [str(label) for label in labels[:channels]]
