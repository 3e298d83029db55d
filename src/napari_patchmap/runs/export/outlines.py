"""Outlines of objects along the edges of their pixels, as polygons of GeoJSON."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from napari_patchmap.patches.readers.objects.drawn_objects import twice_area

#: A closed ring of corners (x, y) in pixels, the first again at its end.
_Ring = list[list[int]]

#: Directions by number: right, down, left, up, each as (y, x).
_STEPS = ((0, 1), (1, 0), (0, -1), (-1, 0))


def outline(mask: np.ndarray, top: int, left: int, scale: float = 1) -> dict[str, object]:
    """Return the outline of an object as a GeoJSON Polygon, or MultiPolygon of its parts.

    Filling it gives the very pixels again. Corners lie on integers: pixel (0, 0) reaches
    from 0 to 1.

    Parameters
    ----------
    mask : ndarray of bool, shape (height, width)
        At least one pixel is true.
    top, left : int
        Place of the mask in its image, in pixels.
    scale : float
        How many units of the outline one pixel spans.
    """
    parts, count = ndimage.label(mask)
    polygons = []
    for part in range(1, count + 1):
        rings = [_corners(ring) for ring in _rings(parts == part)]
        # Around a part the rings run clockwise in an image, around its holes the other way.
        rings.sort(key=_area, reverse=True)
        polygons.append(
            [[[(x + left) * scale, (y + top) * scale] for x, y in ring] for ring in rings]
        )
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def drawn(rings: Sequence[np.ndarray]) -> dict[str, object]:
    """Return rings, ``(n, 2)`` of x and y, as a GeoJSON Polygon, or MultiPolygon of several.

    Holes turn the other way than what they are in, and follow it.
    """
    polygons: list[list[list[list[float]]]] = []
    for ring in rings:
        points = [[round(x, 3), round(y, 3)] for x, y in ring.tolist()]
        if points[0] != points[-1]:
            points.append(points[0])
        if polygons and twice_area(ring) < 0:
            polygons[-1].append(points)
        else:
            polygons.append([points])
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _rings(mask: np.ndarray) -> list[list[tuple[int, int]]]:
    """Return the closed walks along the edges of a part, with it on the right hand."""
    padded = np.pad(mask, 1)
    inside, ways = padded[1:-1, 1:-1], []
    # The edge of each pixel towards what is outside: where it begins, and its direction.
    for direction, (neighbour, begin) in enumerate(
        (
            (padded[:-2, 1:-1], (0, 0)),
            (padded[1:-1, 2:], (0, 1)),
            (padded[2:, 1:-1], (1, 1)),
            (padded[1:-1, :-2], (1, 0)),
        )
    ):
        y, x = np.nonzero(inside & ~neighbour)
        pairs = zip((y + begin[0]).tolist(), (x + begin[1]).tolist(), strict=True)
        ways += [(at, direction) for at in pairs]
    out: dict[tuple[int, int], list[int]] = {}
    for at, direction in ways:
        out.setdefault(at, []).append(direction)
    rings = []
    while out:
        walk = [next(iter(out))]
        seen = {walk[0]: 0}
        while walk:
            here = walk[-1]
            if here not in out:
                break
            direction = out[here].pop()
            if not out[here]:
                del out[here]
            step = _STEPS[direction]
            there = (here[0] + step[0], here[1] + step[1])
            if there in seen:  # a loop is closed; cut it off, so that no ring meets itself
                first = seen[there]
                rings.append([*walk[first:], there])
                for corner in walk[first + 1 :]:
                    del seen[corner]
                del walk[first + 1 :]
            else:
                seen[there] = len(walk)
                walk.append(there)
    return rings


def _corners(ring: list[tuple[int, int]]) -> _Ring:
    """Keep the corners of a ring, as (x, y)."""
    points = np.array(ring[:-1])
    turned = (points - np.roll(points, 1, axis=0) != np.roll(points, -1, axis=0) - points).any(
        axis=1
    )
    corners: _Ring = points[turned][:, ::-1].tolist()
    return [*corners, corners[0]]


def _area(ring: _Ring) -> int:
    """Return twice the area of a ring, below 0 for one that runs the other way."""
    x, y = np.array(ring).T
    return int((x[:-1] * y[1:] - x[1:] * y[:-1]).sum())
