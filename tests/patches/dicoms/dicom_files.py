"""DICOM files as pydicom writes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"


def write_dicom(path: Path, frames: np.ndarray, **tags: object) -> Path:
    """Write frames ``(n, height, width)`` or ``(n, height, width, 3)`` without compression."""
    pydicom = pytest.importorskip("pydicom")
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    known = {
        "SOPClassUID": pydicom.uid.SecondaryCaptureImageStorage,
        "SOPInstanceUID": pydicom.uid.generate_uid(),
        "SeriesInstanceUID": "1.2.3",
        "Rows": frames.shape[1],
        "Columns": frames.shape[2],
        "NumberOfFrames": len(frames),
        "SamplesPerPixel": 3 if frames.ndim == 4 else 1,
        "PhotometricInterpretation": "RGB" if frames.ndim == 4 else "MONOCHROME2",
        "BitsAllocated": 8 * frames.dtype.itemsize,
        "BitsStored": 8 * frames.dtype.itemsize,
        "HighBit": 8 * frames.dtype.itemsize - 1,
        "PixelRepresentation": int(frames.dtype.kind == "i"),
    }
    if frames.ndim == 4:
        known["PlanarConfiguration"] = 0
    for name, value in (known | tags).items():
        setattr(data, name, value)
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    padded = frames.tobytes() + b"\0" * (frames.nbytes % 2)
    data.PixelData = padded
    data["PixelData"].VR = "OW" if frames.dtype.itemsize > 1 else "OB"
    data.save_as(path, enforce_file_format=True)
    return path


def write_level(path: Path, pixels: np.ndarray, tile: int = 32, mpp: float = 0.5) -> Path:
    """Write a level of a whole slide, ``(height, width, 3)``, as tiles beside each other."""
    pydicom = pytest.importorskip("pydicom")
    height, width = pixels.shape[:2]
    edge = ((0, -height % tile), (0, -width % tile), (0, 0))
    whole = np.pad(pixels, edge)
    tiles = [
        whole[y : y + tile, x : x + tile]
        for y in range(0, height, tile)
        for x in range(0, width, tile)
    ]
    measures, shared = pydicom.Dataset(), pydicom.Dataset()
    measures.PixelSpacing = [mpp / 1000, mpp / 1000]
    shared.PixelMeasuresSequence = [measures]
    return write_dicom(
        path,
        np.stack(tiles),
        SOPClassUID=WHOLE_SLIDE,
        ImageType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
        TotalPixelMatrixRows=height,
        TotalPixelMatrixColumns=width,
        SharedFunctionalGroupsSequence=[shared],
        DimensionOrganizationType="TILED_FULL",
    )
