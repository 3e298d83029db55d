"""CZI files as Zeiss's own library writes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest


def write_czi(
    path: Path,
    planes: Mapping[tuple[int, int, int], np.ndarray],
    *,
    at: Mapping[int, tuple[int, int]] | None = None,
    names: Mapping[int, str] | None = None,
    mpp: float = 0.25,
) -> Path:
    """Write planes ``(height, width)``, or with a third axis of blue, green and red.

    ``planes`` are by scene, time and channel; ``at`` is where a scene lies, x and y;
    ``names`` are of channels.
    """
    czi = pytest.importorskip("pylibCZIrw.czi")
    path.unlink(missing_ok=True)
    with czi.create_czi(str(path)) as file:
        for (scene, time, channel), plane in planes.items():
            file.write(
                plane if plane.ndim == 3 else plane[..., None],
                plane={"T": time, "C": channel, "Z": 0},
                scene=scene,
                location=(at or {}).get(scene, (1000 * scene, 0)),
            )
        file.write_metadata(
            channel_names=dict(names or {}), scale_x=mpp / 1e6, scale_y=mpp / 1e6
        )
    return path
