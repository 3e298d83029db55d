"""ND2 files of version 3, written by hand: chunks of metadata and frames, and a map of them."""

from __future__ import annotations

import struct
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

_MAGIC = 0x0ABECEDA
#: So long is the name of a frame's chunk, that its pixels begin 4096 bytes behind its start.
_FRAME = 4072


def _lite(name: str, value: Any) -> bytes:
    """Encode one value as Nikon's "lite variant"; a list has items without names."""
    title = (name + "\0").encode("utf-16-le")
    head = [0, len(name) + 1]
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else [("", one) for one in value]
        inside = b"".join(_lite(*pair) for pair in pairs)
        length = 2 + len(title) + 12 + len(inside)
        body = struct.pack("<IQ", len(pairs), length) + inside + bytes(8 * len(pairs))
        head[0] = 11
    elif isinstance(value, bool):
        head[0], body = 1, struct.pack("<B", value)
    elif isinstance(value, int):
        head[0], body = 3, struct.pack("<I", value)
    elif isinstance(value, float):
        head[0], body = 6, struct.pack("<d", value)
    else:
        head[0], body = 8, (value + "\0").encode("utf-16-le")
    return bytes(head) + title + body


def _loops(times: int, positions: int) -> dict[str, Any]:
    """Describe an experiment: positions, and at each of them times."""
    span = {"uiCount": times, "dStart": 0.0, "dPeriod": 1.0, "dDuration": 1.0 * times}
    loop: dict[str, Any] = {"eType": 1, "uLoopPars": span}
    if positions > 1:
        points = [
            {"dPosX": 1.0 * k, "dPosY": 0.0, "dPosZ": 0.0, "dPosName": f"Well {k}"}
            for k in range(1, positions + 1)
        ]
        places = {"uiCount": positions, "Points": points}
        loop = {"eType": 2, "uLoopPars": places, "ppNextLevelEx": [loop]}
    return loop


def write_nd2(
    path: Path,
    scenes: Sequence[np.ndarray],
    names: Sequence[str] = (),
    mpp: float = 0.25,
    missing: Collection[int] = (),
) -> Path:
    """Write positions ``(time, channel, height, width)``, or with a last axis of colours.

    All are of one shape; ``names`` are of channels, ``missing`` are times that are not written.
    """
    times, channels, height, width, *rest = scenes[0].shape
    colours, bits = rest[0] if rest else 1, 8 * scenes[0].dtype.itemsize
    planes = {
        f"a{k}": {
            "sDescription": names[k] if names else f"channel {k}",
            "uiCompCount": colours,
            "uiColor": 255,
            "pFluorescentProbe": {"m_sName": "dye"},  # nd2 does not do without
        }
        for k in range(channels)
    }
    attributes = {
        "uiWidth": width,
        "uiWidthBytes": width * channels * colours * bits // 8,
        "uiHeight": height,
        "uiComp": channels * colours,
        "uiBpcInMemory": bits,
        "uiBpcSignificant": bits,
        "uiSequenceCount": times * len(scenes),
        "eCompression": 2,
    }
    picture = {
        "bCalibrated": True,
        "dCalibration": mpp,
        "sPicturePlanes": {"uiCount": channels, "sPlaneNew": planes},
    }
    chunks = {
        "ImageAttributesLV!": _lite("SLxImageAttributes", attributes),
        "ImageMetadataLV!": _lite("SLxExperiment", _loops(times, len(scenes))),
        "ImageMetadataSeqLV|0!": _lite("SLxPictureMetadata", picture),
    }
    for number, scene in enumerate(scenes):
        for time in range(times):
            frame = scene[time, ..., ::-1] if rest else scene[time]  # blue, green, red
            stored = np.ascontiguousarray(np.moveaxis(frame, 0, 2))
            if time not in missing:
                chunks[f"ImageDataSeq|{number * times + time}!"] = bytes(8) + stored.tobytes()
    file = bytearray(struct.pack("<IIQ", _MAGIC, 32, 64))
    file += b"ND2 FILE SIGNATURE CHUNK NAME01!" + b"Ver3.0".ljust(64, b"\0")
    places = b""
    for name, data in chunks.items():
        places += name.encode() + struct.pack("<QQ", len(file), len(data))
        title = name.encode().ljust(_FRAME, b"\0")
        file += struct.pack("<IIQ", _MAGIC, len(title), len(data)) + title + data
    end = b"ND2 CHUNK MAP SIGNATURE 0000001!" + struct.pack("<Q", len(file))
    title = b"ND2 FILEMAP SIGNATURE NAME 0001!"
    file += struct.pack("<IIQ", _MAGIC, len(title), len(places + end)) + title + places + end
    path.write_bytes(file)
    return path
