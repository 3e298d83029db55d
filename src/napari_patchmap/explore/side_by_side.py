"""Maps of the same patches beside each other: turned alike, of one size, in a grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

#: Room between two maps beside each other, in pixels.
_GAP = 16


def turned_like(embedding: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Turn, mirror and scale a map until it lies as much like another one as it can.

    Neither t-SNE nor a network cares which way up a map is, and each has units of its
    own. Distances within the map keep their proportions (orthogonal Procrustes
    analysis: Schönemann, "A generalized solution of the orthogonal Procrustes
    problem", 1966).

    Parameters
    ----------
    embedding : ndarray, shape (n, d)
    reference : ndarray, shape (n, e)
        Row i is the same patch. If e is less than d, the map is seen from the side on
        which it is most like the reference; if it is more, it lies in a plane.

    Returns
    -------
    ndarray of float32, shape (n, e)
        With the centre and the root mean square radius of the reference.
    """
    moved = np.asarray(embedding, np.float64)
    target = np.asarray(reference, np.float64)
    middle = target.mean(axis=0)
    moved, target = moved - moved.mean(axis=0), target - middle
    turned = moved @ _turning(moved, target)
    radius = np.sqrt((turned**2).sum(axis=1).mean())
    scale = np.sqrt((target**2).sum(axis=1).mean()) / radius if radius > 0 else 1.0
    return (turned * scale + middle).astype(np.float32)


def turned_alike(maps: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Turn maps of the same patches like the first.

    Parameters
    ----------
    maps : sequence of ndarray, shape (n, d)
        Row i of each is the same patch.

    Returns
    -------
    list of ndarray of float32, shape (n, 2)
        The first as it is, or from the side that shows most of it.
    """
    first = maps[0]
    if first.shape[1] > 2:
        centred = first - first.mean(axis=0)
        first = centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
    return [first.astype(np.float32), *(turned_like(one, first) for one in maps[1:])]


class Turn:
    """A turn, with or without mirroring, of a map about its centre; nothing else changes.

    Parameters
    ----------
    matrix : ndarray, shape (d, d), optional
        Orthogonal; no turn when not given.
    middle : ndarray, shape (d,), optional
    """

    def __init__(
        self, matrix: np.ndarray | None = None, middle: np.ndarray | None = None
    ) -> None:
        self._matrix, self._middle = matrix, middle

    @classmethod
    def towards(cls, embedding: np.ndarray, reference: np.ndarray) -> Turn:
        """Return the turn after which a map lies most as another one of the same points."""
        moved, target = np.asarray(embedding, np.float64), np.asarray(reference, np.float64)
        middle = moved.mean(axis=0)
        return cls(_turning(moved - middle, target - target.mean(axis=0)), middle)

    @classmethod
    def about_centre(cls, embedding: np.ndarray, matrix: np.ndarray) -> Turn:
        """Return the turn by an orthogonal matrix, ``(d, d)``, about the centre of a map."""
        return cls(matrix, np.asarray(embedding, np.float64).mean(axis=0))

    @property
    def matrix(self) -> np.ndarray | None:
        """What is multiplied from the right, None for no turn."""
        return self._matrix

    def to_shown(self, embedding: np.ndarray) -> np.ndarray:
        """Turn a map, or other points on it."""
        if self._matrix is None:
            return embedding
        return ((embedding - self._middle) @ self._matrix + self._middle).astype(np.float32)


def _turning(moved: np.ndarray, target: np.ndarray) -> np.ndarray:
    left, _, right = np.linalg.svd(moved.T @ target, full_matrices=False)
    matrix: np.ndarray = left @ right
    return matrix


def set_apart(
    maps: Sequence[np.ndarray], canvas: tuple[float, float], title: tuple[float, float]
) -> tuple[list[np.ndarray], float]:
    """Move maps until each has a cell of its own in a grid; the first one stays.

    Parameters
    ----------
    maps : sequence of ndarray, shape (n, d)
        Columns y, x, or z, y, x; they are moved along y and x.
    canvas : (width, height)
        In pixels, which decides on the columns.
    title : (width, height)
        Room above each map, in pixels when all of them fill the canvas.

    Returns
    -------
    placed : list of ndarray
    pixel : float
        Map units a pixel when all of them fill the canvas.
    """
    boxes = [np.array([one.min(axis=0), one.max(axis=0)])[:, -2:] for one in maps]
    height, width = np.maximum(np.max([np.ptp(box, axis=0) for box in boxes], axis=0), 1e-9)

    def pixel_of(columns: int) -> float:
        rows = -(-len(maps) // columns)
        across = max(canvas[0] / columns - _GAP, 1.0)
        down = max(canvas[1] / rows - title[1], 1.0)
        return float(max(width / across, height / down))

    # As many beside each other as their titles have room.
    most = max(1, min(len(maps), int(canvas[0] // max(title[0], 1.0))))
    columns = min(range(1, most + 1), key=lambda count: (pixel_of(count), count))
    pixel = pixel_of(columns)
    rows = -(-len(maps) // columns)
    cell = np.array([canvas[1] / rows, canvas[0] / columns]) * pixel
    placed = []
    for number, (one, box) in enumerate(zip(maps, boxes, strict=True)):
        move = np.zeros(one.shape[1], np.float32)
        where = boxes[0].mean(axis=0) + np.array(divmod(number, columns)) * cell
        move[-2:] = where - box.mean(axis=0)
        placed.append(one + move if number else one)
    return placed, pixel
