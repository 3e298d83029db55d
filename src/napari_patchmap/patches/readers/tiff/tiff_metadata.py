"""What a TIFF file says of itself: whether it is whole, and what its channels are called."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Literal

import numpy as np
import tifffile

from napari_patchmap.errors import UnusableError
from napari_patchmap.patches.axes import channel_axis, default_names
from napari_patchmap.patches.images import Images

#: The tag in which ImageJ, OME and tifffile write axes and names.
_DESCRIPTION = 270


#: How OME calls the file that a plane lies in.
_FILE, _UUID = "FileName", "UUID"


def check_complete(tif: tifffile.TiffFile) -> None:
    """Raise if the pages or their description lead out of the file, as in one half written.

    tifffile ends the chain of pages there, or goes on without the axes that an
    OME description holds, and returns what it has without an error.
    """
    if not (chain_is_whole(tif) and is_described(tif)):
        raise UnusableError("is cut off", "copy or export it again")


def chain_is_whole(tif: tifffile.TiffFile) -> bool:
    """Whether the chain of pages comes to its end within the file."""
    try:
        end = tif.pages.next_page_offset
    except tifffile.TiffFileError:
        return False
    if end is None or tif.filehandle.size < end + tif.tiff.offsetsize:
        return False
    return _number(tif, end, tif.tiff.offsetsize) == 0


def is_described(tif: tifffile.TiffFile) -> bool:
    """Whether the first page's description, if it has one, lies in the file."""
    layout, first = tif.tiff, tif.pages.first
    count = _number(tif, first.offset, layout.tagnosize)
    tags = tif.filehandle.read(count * layout.tagsize)
    codes = [tags[i : i + 2] for i in range(0, len(tags), layout.tagsize)]
    described = _DESCRIPTION.to_bytes(2, _order(tif)) in codes
    return not described or _DESCRIPTION in first.tags


def check_files(tif: tifffile.TiffFile) -> None:
    """Raise if an OME-TIFF is one of several files and another one is not there."""
    root = ome_xml(tif)
    if root is None:
        return
    own, folder = root.get(_UUID), Path(tif.filehandle.path).parent
    for node in root.iter():
        name = node.get(_FILE)
        if not node.tag.endswith(f"}}{_UUID}") or not name or node.text == own:
            continue
        if name.lower() != tif.filename.lower() and not (folder / name).is_file():
            raise UnusableError(
                f"needs the file {name}, which is not beside it",
                "put it back, or export all planes into one file",
            )


def is_volume(tif: tifffile.TiffFile) -> bool:
    """Whether planes along Z are sections of one body, and not simply a stack of images.

    ImageJ calls every plain stack's planes slices, but notes their distance only
    where there is one. OME's Z says it.
    """
    if tif.is_imagej:
        return "spacing" in (tif.imagej_metadata or {})
    return bool(tif.is_ome)


def _order(tif: tifffile.TiffFile) -> Literal["little", "big"]:
    return "little" if tif.byteorder == "<" else "big"


def _number(tif: tifffile.TiffFile, offset: int, length: int) -> int:
    tif.filehandle.seek(offset)
    return int.from_bytes(tif.filehandle.read(length), _order(tif))


def channel_names(
    tif: tifffile.TiffFile,
    series: tifffile.TiffPageSeries | tifffile.TiffPage,
    letters: str,
    images: Images,
) -> tuple[str, ...]:
    """Name the channels from OME, ImageJ or Akoya metadata, else as plain arrays' are."""
    channels, dtype = images.channels, images.dtype
    if channel_axis(letters) == "C":
        named = _ome_names(tif) if tif.is_ome else _imagej_names(tif, channels)
        named = named or _akoya_names(tif, channels)
        if len(named) == channels == len(set(named)):
            return tuple(named)
        # Axes that say C mean stains, three of them too.
        return default_names(channels, np.dtype(np.uint16), last=False)
    colour = series.keyframe.photometric == tifffile.PHOTOMETRIC.PALETTE or letters[-1] == "S"
    return default_names(channels, dtype, last=colour)


def ome_xml(tif: tifffile.TiffFile) -> ElementTree.Element | None:
    """Return what an OME-TIFF says of itself; None if it is none, or that cannot be read."""
    try:
        return ElementTree.fromstring((tif.ome_metadata or "") if tif.is_ome else "")
    except ElementTree.ParseError:
        return None


def check_channels(tif: tifffile.TiffFile) -> None:
    """Raise if the images of an OME-TIFF have channels of different names."""
    every = _names_of_images(tif)
    other = next((names for names in every if names != every[0]), None)
    if other is not None:
        own, others = ", ".join(every[0]) or "none", ", ".join(other) or "none"
        raise UnusableError(
            f"holds images whose channels have different names ({own}; {others})",
            "save those of one kind in a file of their own",
        )


def _ome_names(tif: tifffile.TiffFile) -> list[str]:
    return next(iter(_names_of_images(tif)), [])


def _names_of_images(tif: tifffile.TiffFile) -> list[list[str]]:
    """Return the names of the channels of each image of an OME-TIFF."""
    root = ome_xml(tif)
    images = [] if root is None else [n for n in root.iter() if n.tag.endswith("}Image")]
    return [
        [name for node in image.iter() if node.tag.endswith("}Channel")
         and (name := node.get("Name"))]
        for image in images
    ]  # fmt: skip


def _imagej_names(tif: tifffile.TiffFile, channels: int) -> list[str]:
    """Take the labels of the first planes; ImageJ counts through the channels first."""
    labels = (tif.imagej_metadata or {}).get("Labels", []) if tif.is_imagej else []
    return [str(label) for label in labels[:channels]]


def _akoya_names(tif: tifffile.TiffFile, channels: int) -> list[str]:
    """Take what each page of a .qptiff says it shows: the biomarker, else the dye."""
    if not tif.is_qpi or len(tif.pages) < channels:
        return []
    names = []
    for number in range(channels):  # the channels at full size come first
        page = tif.pages.get(number, aspage=True)
        try:
            root = ElementTree.fromstring(getattr(page, "description", ""))
        except ElementTree.ParseError:
            return []
        said = [(root.findtext(word) or "").strip() for word in ("Biomarker", "Name")]
        names.append(next(filter(None, said), ""))
    dyes = [name for name in names if name]
    return names if len(dyes) == len(names) else []
