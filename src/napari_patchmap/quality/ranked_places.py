"""Exact ranks among many places on a map."""

from __future__ import annotations

import numpy as np

#: Share of a reach, or of the width of a map, that rounding may take away.
_SLACK = 1e-9

#: Strips that a map is cut into.
_STRIPS = 32


class RankedPlaces:
    """Places on a map, made ready to count how many lie nearer to one than others do.

    Parameters
    ----------
    places : ndarray of float64, shape (n, d)
    """

    def __init__(self, places: np.ndarray) -> None:
        self._places = places
        # Strips across the axis on which they differ most, each in the order of the next
        # axis: those that may be near stand together in a few strips.
        self._across, self._along = places.var(axis=0).argsort()[[-1, -min(2, places.shape[1])]]
        across, along = places[:, self._across], places[:, self._along]
        ends = np.linspace(0, len(places) - 1, _STRIPS + 1).astype(np.intp)
        self._ends = np.sort(across)[ends[1:-1]]
        strips = self._ends.searchsorted(across, "right")
        order = np.lexsort((along, strips))
        self._axes = np.ascontiguousarray(places[order].T)
        # One line of all strips, each further along than all of the last one.
        self._low = along.min()
        self._apart = 4 * (along.max() - self._low) or 1.0
        self._line = strips[order] * self._apart + (along[order] - self._low)

    def squares(self, some: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return the squares of the distances of some (b,) to others (b, k)."""
        apart = self._places[others] - self._places[some][:, None]
        return _sum_of_squares(np.moveaxis(apart, 2, 0))

    def nearer(self, some: np.ndarray, edges: np.ndarray, than: np.ndarray) -> np.ndarray:
        """Count those that lie nearer to some than edges (b, k), as :meth:`squares` gives them.

        Edges that are not above ``than`` (b,) are left out: 0.
        """
        found = np.zeros(edges.shape, np.int64)
        for row in np.flatnonzero((edges > than[:, None]).any(axis=1)):
            own, far = self._places[some[row]], np.flatnonzero(edges[row] > than[row])
            near = self._within(own, np.sqrt(edges[row].max()))
            apart = _sum_of_squares(near - own[:, None])
            # Less itself.
            found[row, far] = [np.count_nonzero(apart < e) - 1 for e in edges[row, far]]
        return found

    def _within(self, own: np.ndarray, reach: float) -> np.ndarray:
        """Return the axes (d, c) of all places within reach of one, and of some others."""
        reach += _SLACK * (reach + self._apart)
        across, along = own[self._across], own[self._along] - self._low
        first, last = self._ends.searchsorted([across - reach, across + reach], "right")
        reach = min(reach, self._apart / 2)
        strips = np.arange(first, last + 1) * self._apart + along
        starts, stops = self._line.searchsorted([strips - reach, strips + reach])
        parts = [self._axes[:, i:j] for i, j in zip(starts, stops, strict=True)]
        return np.concatenate(parts, axis=1)


def _sum_of_squares(axes: np.ndarray) -> np.ndarray:
    """Return the squares of vectors given by their axes (d, ...); the same for the same."""
    found = axes[0] ** 2
    for axis in axes[1:]:
        found += axis**2
    return np.asarray(found)
