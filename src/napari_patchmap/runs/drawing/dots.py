"""Points painted straight into a picture: many pictures of many points, as films need."""

from __future__ import annotations

import numpy as np

#: Pixels that a pixel of the picture is painted as, along each side.
_FINER = 3


def draw_dots(
    picture: np.ndarray, places: np.ndarray, colours: np.ndarray, diameter: float
) -> None:
    """Paint dots with smooth edges, the first one first.

    Parameters
    ----------
    picture : ndarray of uint8, shape (height, width, 3)
        Is painted on.
    places : ndarray, shape (n, 2)
        Middles as y, x in pixels; those outside are left out.
    colours : ndarray of uint8, shape (n, 3)
    diameter : float
        In pixels.
    """
    high, wide = picture.shape[:2]
    fine = picture.repeat(_FINER, axis=0).repeat(_FINER, axis=1)
    reach = max(diameter * _FINER / 2, 0.75)
    steps = np.arange(-int(reach), int(reach) + 1)
    down, across = (one.ravel() for one in np.meshgrid(steps, steps, indexing="ij"))
    inside = down**2 + across**2 <= reach**2
    down, across = down[inside], across[inside]
    middles = np.round(places * _FINER).astype(np.int64)
    edge = int(reach) + 1
    kept = ((middles >= edge) & (middles < np.array([high, wide]) * _FINER - edge)).all(axis=1)
    middles = middles[kept]
    # Of a pixel that several dots have, the last one's colour stays: they come dot by dot.
    at = (middles[:, :1] + down) * (wide * _FINER) + middles[:, 1:] + across
    flat = fine.reshape(-1, 3)
    flat[at.ravel()] = colours[kept].repeat(len(down), axis=0)
    mean = fine.reshape(high, _FINER, wide, _FINER, 3).mean(axis=(1, 3), dtype=np.float32)
    picture[:] = mean.round().astype(np.uint8)
