"""Exact ranks among many places on a map."""

from __future__ import annotations

import numpy as np

#: Share of a reach that rounding may take away.
_SLACK = 1e-9


class RankedPlaces:
    """Places on a map, made ready to count how many lie nearer to one than others do.

    Parameters
    ----------
    places : ndarray of float64, shape (n, d)
    """

    def __init__(self, places: np.ndarray) -> None:
        self._places = places
        # In the order of the axis on which they differ most, those that may be near stand
        # together.
        self._main = int(places.var(axis=0).argmax())
        order = places[:, self._main].argsort()
        self._axes = np.ascontiguousarray(places[order].T)

    def squares(self, some: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return the squares of the distances of some (b,) to others (b, k)."""
        apart = self._places[others] - self._places[some][:, None]
        return _sum_of_squares(np.moveaxis(apart, 2, 0))

    def nearer(self, some: np.ndarray, edges: np.ndarray, than: np.ndarray) -> np.ndarray:
        """Count those that lie nearer to some than edges (b, k), as :meth:`squares` gives them.

        Edges that are not above ``than`` (b,) are left out: 0.
        """
        found = np.zeros(edges.shape, np.int64)
        line = self._axes[self._main]
        for row in np.flatnonzero((edges > than[:, None]).any(axis=1)):
            own, far = self._places[some[row]], np.flatnonzero(edges[row] > than[row])
            reach = np.sqrt(edges[row].max()) * (1 + _SLACK)
            ends = own[self._main] - reach, own[self._main] + reach
            near = slice(
                np.searchsorted(line, ends[0]), np.searchsorted(line, ends[1], "right")
            )
            apart = _sum_of_squares(self._axes[:, near] - own[:, None])
            # Less itself.
            found[row, far] = [np.count_nonzero(apart < e) - 1 for e in edges[row, far]]
        return found


def _sum_of_squares(axes: np.ndarray) -> np.ndarray:
    """Return the squares of vectors given by their axes (d, ...); the same for the same."""
    found = axes[0] ** 2
    for axis in axes[1:]:
        found += axis**2
    return np.asarray(found)
