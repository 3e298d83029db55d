"""Maps of the same patches beside each other: turned alike, of one size, in a grid."""

from __future__ import annotations

import numpy as np

#: Room between two maps, as a share of the largest one's side; titles stand in it.
_GAP = 0.16


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
    left, _, right = np.linalg.svd(moved.T @ target, full_matrices=False)
    turned = moved @ (left @ right)
    radius = np.sqrt((turned**2).sum(axis=1).mean())
    scale = np.sqrt((target**2).sum(axis=1).mean()) / radius if radius > 0 else 1.0
    return (turned * scale + middle).astype(np.float32)


def set_apart(maps: list[np.ndarray], aspect: float = 1.0) -> list[np.ndarray]:
    """Move maps until each has a cell of its own in a grid; the first one stays.

    Parameters
    ----------
    maps : list of ndarray, shape (n, d)
        Columns y, x, or z, y, x; they are moved along y and x.
    aspect : float
        Width of the canvas over its height, which decides on the columns.
    """
    if len(maps) < 2:
        return list(maps)
    boxes = [np.array([one.min(axis=0), one.max(axis=0)])[:, -2:] for one in maps]
    side = max(float(np.ptp(box, axis=0).max()) for box in boxes) * (1 + _GAP)
    columns = _columns(len(maps), aspect)
    first = boxes[0].mean(axis=0)
    placed = []
    for number, (one, box) in enumerate(zip(maps, boxes, strict=True)):
        move = np.zeros(one.shape[1], np.float32)
        cell = np.array(divmod(number, columns)) * side
        move[-2:] = first + cell - box.mean(axis=0)
        placed.append(one + move if number else one)
    return placed


def _columns(count: int, aspect: float) -> int:
    """Return the number of columns with which a grid of squares is seen largest."""
    return max(range(1, count + 1), key=lambda c: (min(aspect / c, 1 / -(-count // c)), -c))
