"""Which points lie in a box, without looking at the others: for what is done at each move."""

from __future__ import annotations

import numpy as np

#: Cells a side of the grid that points are sorted into: their numbers fit into 16 bits.
_CELLS = 256


class PointGrid:
    """Points sorted into the cells of a grid.

    Parameters
    ----------
    places : ndarray, shape (n, 2)
        Finite; as y, x. Not copied, and not to be changed afterwards.
    """

    def __init__(self, places: np.ndarray) -> None:
        self._places = places
        box: np.ndarray = box_of(places) if len(places) else np.zeros((2, 2))
        self._low, self._high = box
        span = (self._high - self._low).astype(float)
        self._scale = _CELLS / np.where(span > 0, span, 1.0)
        y, x = self._cell(places).T
        # Sixteen bits, for which numpy sorts by counting: a hundredth of a second a million.
        cells = (y * _CELLS + x).astype(np.uint16)
        self._order = np.argsort(cells, kind="stable").astype(np.int32)
        counts = np.bincount(cells, minlength=_CELLS * _CELLS)
        self._starts = np.concatenate([[0], counts.cumsum()])

    def _cell(self, places: np.ndarray) -> np.ndarray:
        cells: np.ndarray = (places - self._low) * self._scale
        return np.clip(cells, 0, _CELLS - 1).astype(np.int32)

    def _ranges(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return where the points of the cells that a box touches begin and end, by rows."""
        (top, left), (bottom, right) = self._cell(np.stack([low, high])).tolist()
        rows = np.arange(top, bottom + 1) * _CELLS
        return self._starts[rows + left], self._starts[rows + right + 1]

    def most(self, low: np.ndarray, high: np.ndarray) -> int:
        """Return a number of points that is no smaller than that of those in a box."""
        begin, end = self._ranges(low, high)
        return int((end - begin).sum())

    def inside(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Return the rows of the points within a box, corners (y, x), in ascending order."""
        parts = [self._order[a:b] for a, b in zip(*self._ranges(low, high), strict=True)]
        near = np.concatenate(parts)
        found: np.ndarray = near[within(self._places[near], low, high)]
        found.sort()
        return found

    def has_more(self, low: np.ndarray, high: np.ndarray, count: int) -> bool:
        """Whether more than so many points lie within a box."""
        if self.most(low, high) <= count:
            return False
        # First those of the cells that lie inside it entirely: no point is looked at.
        size = 1 / self._scale
        inner, outer = np.maximum(low, self._low) + size, np.minimum(high, self._high) - size
        if (inner < outer).all() and self.most(inner, outer) > count:
            return True
        return len(self.inside(low, high)) > count


def box_of(places: np.ndarray) -> np.ndarray:
    """Return the corners of the box around places ``(n, d)``, the lowest first, ``(2, d)``.

    Column by column: numpy takes ten times as long for all at once.
    """
    columns = places.T
    low, high = [one.min() for one in columns], [one.max() for one in columns]
    return np.array([low, high])


def within(places: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return which places (y, x) lie within a box, corners (y, x)."""
    (y, x), (top, left), (bottom, right) = places.T, low, high
    inside: np.ndarray = (y > top) & (y < bottom) & (x > left) & (x < right)
    return inside
