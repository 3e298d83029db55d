"""LIF files written by hand: a description in XML, and a block of memory for each image."""

from __future__ import annotations

import struct
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np


def _image(name: str, number: int, image: np.ndarray, names: Sequence[str], mpp: float) -> str:
    times, channels, height, width, *rest = image.shape
    size, samples = image.dtype.itemsize, rest[0] if rest else 1
    plane = height * width * samples * size
    steps = [(1, width, size * samples, mpp), (2, height, width * size * samples, mpp),
             (4, times, plane * channels, 1e6)]  # fmt: skip
    dimensions = "".join(
        f'<DimensionDescription DimID="{axis}" NumberOfElements="{count}" Origin="0" '
        f'Length="{step * (count - 1) / 1e6}" Unit="{"s" if axis == 4 else "m"}" BitInc="0" '
        f'BytesInc="{inc}"/>'
        for axis, count, inc, step in steps
    )
    described = "".join(
        f'<ChannelDescription DataType="0" ChannelTag="{k + 1 if rest else 0}" '
        f'Resolution="{8 * size}" NameOfMeasuredQuantity="" Min="0" Max="1" Unit="" '
        f'LUTName="{names[k] if names else "Gray"}" IsLUTInverted="0" '
        f'BytesInc="{k * (size if rest else plane)}" BitInc="0"/>'
        for k in range(samples if rest else channels)
    )
    return (
        f'<Element Name="{name}" UniqueID="{number}"><Data><Image><ImageDescription><Channels>'
        f"{described}</Channels><Dimensions>{dimensions}</Dimensions></ImageDescription></Image>"
        f'</Data><Memory Size="{image.nbytes}" MemoryBlockID="MemBlock_{number}"/></Element>'
    )


def write_lif(
    path: Path,
    scenes: Sequence[np.ndarray],
    names: Sequence[str] = (),
    mpp: float = 0.25,
    missing: Collection[int] = (),
) -> Path:
    """Write images ``(time, channel, height, width)``, or with a last axis red, green, blue.

    ``names`` are of channels, ``missing`` are times, the last, without memory.
    """
    inside = "".join(
        _image(f"Series{k:03}", k, image, names, mpp) for k, image in enumerate(scenes, 1)
    )
    text = (
        '<LMSDataContainerHeader Version="2"><Element Name="Project" UniqueID="0"><Data>'
        '<Experiment/></Data><Memory Size="0" MemoryBlockID="MemBlock_0"/>'
        f"<Children>{inside}</Children></Element></LMSDataContainerHeader>"
    ).encode("utf-16-le")
    file = struct.pack("<IIBI", 0x70, len(text) + 5, 0x2A, len(text) // 2) + text
    for k, image in enumerate([np.empty(0, np.uint8), *scenes]):
        title = f"MemBlock_{k}".encode("utf-16-le")
        pixels = image[: len(image) - len(missing)]
        head = (0x70, len(title) + 14, 0x2A, pixels.nbytes, 0x2A, len(title) // 2)
        file += struct.pack("<IIBQBI", *head) + title + pixels.tobytes()
    path.write_bytes(file)
    return path
