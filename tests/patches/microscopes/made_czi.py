"""CZI files as Zeiss's own library writes them."""

from __future__ import annotations

import struct
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pytest


def write_czi(
    path: Path,
    scenes: Sequence[np.ndarray],
    names: Sequence[str] = (),
    mpp: float = 0.25,
    missing: Collection[int] = (),
) -> Path:
    """Write scenes ``(time, channel, height, width)``, or with a last axis red, green, blue.

    ``names`` are of channels, ``missing`` are times that are not written.
    """
    czi = pytest.importorskip("pylibCZIrw.czi")
    path.unlink(missing_ok=True)
    with czi.create_czi(str(path)) as file:
        for number, scene in enumerate(scenes):
            for time, channel in np.ndindex(scene.shape[:2]):
                plane = scene[time, channel]
                if time not in missing:
                    file.write(
                        plane[..., ::-1] if plane.ndim == 3 else plane[..., None],
                        plane={"T": time, "C": channel, "Z": 0},
                        scene=number,
                        location=(1000 * number, 0),
                    )
        file.write_metadata(
            channel_names=dict(enumerate(names)), scale_x=mpp / 1e6, scale_y=mpp / 1e6
        )
    return path


def write_mosaic(path: Path, tiles: Sequence[tuple[np.ndarray, int, int]], copies: int) -> Path:
    """Write tiles ``(height, width)`` with the places x and y of each.

    The last ``copies`` of them become smaller copies of an area twice as high and wide, which
    the library does not write itself: the size that is shown stands beside the size stored.
    """
    czi = pytest.importorskip("pylibCZIrw.czi")
    with czi.create_czi(str(path)) as file:
        for tile, x, y in tiles:
            file.write(np.ascontiguousarray(tile[..., None]), location=(x, y))
        file.write_metadata(scale_x=0.25e-6, scale_y=0.25e-6)
    data = path.read_bytes()
    for tile, x, y in tiles[len(tiles) - copies :]:
        for axis, start, size in ((b"X", x, tile.shape[1]), (b"Y", y, tile.shape[0])):
            entry = axis.ljust(4, b"\0") + struct.pack("<i", start)
            stored = entry + struct.pack("<ifi", size, 0, size)
            shown = entry + struct.pack("<ifi", 2 * size, 0, size)
            assert stored in data
            data = data.replace(stored, shown)
    path.write_bytes(data)
    return path
