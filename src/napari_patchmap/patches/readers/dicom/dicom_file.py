"""One DICOM file: what its header says, and its frames, decoded one by one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from napari_patchmap.errors import UnusableError
from napari_patchmap.foreign import decoding
from napari_patchmap.optional import optional
from napari_patchmap.patches.names import natural_key

pydicom = optional("pydicom", extra="formats")

ENDINGS = (".dcm", ".dicom")

#: The class of objects that are whole slides.
_WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"

#: One sample a pixel, which is the number of a colour.
_PALETTE = "PALETTE COLOR"

_COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")


class DicomHead(NamedTuple):
    """What the header of a file says of its frames."""

    path: Path
    frames: int
    height: int
    width: int
    channels: int
    dtype: np.dtype
    inverted: bool
    """Whether low values are bright, as in some X-ray images."""
    mpp: float | None
    """Micrometres per pixel, where height and width agree."""
    matrix: tuple[int, int] | None
    """Of a whole slide: height and width of the level of which the frames are tiles."""
    series: str
    kind: str
    """Of a whole slide: VOLUME, or LABEL, OVERVIEW and the like."""
    palette: Any = None
    """The header with the colours, where pixels are numbers of colours."""

    @property
    def is_slide(self) -> bool:
        """Whether its frames are tiles of a whole slide."""
        return self.matrix is not None


def dicom_files(path: Path) -> list[Path]:
    """List the DICOM files of a folder in natural order; a file is its own list.

    Empty if the folder holds other files, or folders, too.
    """
    if not path.is_dir():
        return [path] if path.name.lower().endswith(ENDINGS) else []
    found = []
    for one in path.iterdir():
        if one.name.startswith(".") or one.name == "DICOMDIR":
            continue
        if not one.name.lower().endswith(ENDINGS) or one.is_dir():
            return []
        found.append(one)
    return sorted(found, key=lambda one: natural_key(one.name))


def read_head(path: Path) -> DicomHead:
    """Read the header of a file; its pixels stay where they are.

    Raises
    ------
    UnusableError
        If it holds no image, or one of a kind that is not read.
    PatchError
        If it is no DICOM file, or damaged.
    MissingPackageError
        Without pydicom.
    """
    read = pydicom.dcmread
    with decoding(path, "is not a DICOM file that can be read", "copy or export it again"):
        known = read(path, stop_before_pixels=True)
        if "Rows" not in known or "Columns" not in known:
            raise UnusableError("holds no image", "leave it out")
        colour = str(known.get("PhotometricInterpretation", "MONOCHROME2"))
        channels = int(known.get("SamplesPerPixel", 1))
        if channels != (3 if colour in _COLOURS else 1):
            raise UnusableError(
                f"holds colours as {colour} ({channels} samples), which is not read",
                "export it as RGB or grey",
            )
        bits = int(known.get("BitsAllocated", 8))
        if bits not in (8, 16, 32):
            raise UnusableError(f"holds pixels of {bits} bits", "export it with 8 or 16")
        sign = "i" if int(known.get("PixelRepresentation", 0)) else "u"
        palette = known if colour == _PALETTE else None
        if palette is not None:  # as many bits a colour as the palette has
            channels, sign = 3, "u"
            bits = int(known.RedPaletteColorLookupTableDescriptor[2])
        return DicomHead(
            path,
            int(known.get("NumberOfFrames") or 1),
            int(known.Rows),
            int(known.Columns),
            channels,
            np.dtype(f"{sign}{bits // 8}"),
            colour == "MONOCHROME1",
            _mpp(known),
            _matrix(known),
            str(known.get("SeriesInstanceUID", "")),
            _kind(known),
            palette,
        )


def frame_of(head: DicomHead, index: int) -> np.ndarray:
    """Decode one frame, ``(height, width, channel)``; colours come as red, green and blue.

    Raises
    ------
    PatchError
        If it is damaged, or nothing that is installed decodes it.
    """
    array = pydicom.pixels.pixel_array
    with decoding(
        head.path, f"has a frame ({index}) that cannot be decoded", "copy or export it again"
    ):
        pixels = np.asarray(array(str(head.path), index=index))
        if head.palette is not None:
            pixels = pydicom.pixels.apply_color_lut(pixels, head.palette)
        if pixels.shape[:2] != (head.height, head.width) or pixels.size != (
            head.height * head.width * head.channels
        ):
            raise UnusableError("was changed after it was opened", "load it again")
        pixels = pixels.reshape(head.height, head.width, head.channels)
        if head.inverted:
            info = np.iinfo(head.dtype)
            pixels = info.max + info.min - pixels
        return np.ascontiguousarray(pixels, head.dtype)


def heads_of(paths: list[Path]) -> Iterator[tuple[Path, DicomHead | str]]:
    """Give each file with its header, or with why it cannot be used."""
    from napari_patchmap.errors import PatchError

    for path in paths:
        try:
            yield path, read_head(path)
        except PatchError as error:
            yield path, str(error).removeprefix(f"{path} ").removesuffix(".")


def _mpp(known: Any) -> float | None:
    spacing = known.get("PixelSpacing")
    for shared in known.get("SharedFunctionalGroupsSequence") or ():
        for measures in shared.get("PixelMeasuresSequence") or ():
            spacing = measures.get("PixelSpacing") or spacing
    if not spacing or len(spacing) != 2:
        return None
    high, wide = (1000 * float(one) for one in spacing)
    good = 0 < wide < math.inf and abs(high / wide - 1) < 0.02
    return wide if good else None


def _matrix(known: Any) -> tuple[int, int] | None:
    if str(known.get("SOPClassUID", "")) != _WHOLE_SLIDE:
        return None
    height, width = known.get("TotalPixelMatrixRows"), known.get("TotalPixelMatrixColumns")
    return (int(height), int(width)) if height and width else None


def _kind(known: Any) -> str:
    said = list(known.get("ImageType") or [])
    return str(said[2]).upper() if len(said) > 2 else "VOLUME"
