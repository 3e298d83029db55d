"""Which points stand for all: the farthest from those before, shares of groups, a grid."""

from __future__ import annotations

import numpy as np

from napari_patchmap.patches.watch import UNWATCHED, Watch

#: Cells along the longer side of a grid, at most.
_FINEST = 1_024


def farthest_points(
    points: np.ndarray,
    count: int,
    begun: np.ndarray | None = None,
    watch: Watch = UNWATCHED,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Choose points one by one, each the farthest from all before.

    No choice of as many points leaves every point less than half as far from its nearest
    (Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985).

    Parameters
    ----------
    points : ndarray of float32, shape (n, d)
    count : int
        How many to choose; fewer where the rest are the same as one of them.
    begun : ndarray of int, optional
        Points that have been chosen already. If there are none, the point nearest to the mean
        is the first.
    watch : Watch
        Told what is chosen so far and how far each was from those before.

    Returns
    -------
    rows : ndarray of intp, shape (m,)
        In the order of the choice, without ``begun``.
    apart : ndarray of float32, shape (m,)
        Distance of each to the nearest before; NaN for the first of all.
    radius : float
        How far the farthest point is from its nearest.
    """
    centred = points - points.mean(axis=0, dtype=np.float64).astype(np.float32)
    squares = np.einsum("nd,nd->n", centred, centred)
    # Less than this is what products of such numbers are rounded by.
    least = 1e-6 * float(squares.max())
    apart = np.full(len(points), np.inf, np.float32)

    def take(row: int) -> None:
        gaps = centred @ (-2 * centred[row])
        gaps += squares
        gaps += squares[row]
        np.minimum(apart, gaps, out=apart)
        apart[row] = 0

    chosen: list[int] = []
    gaps: list[float] = []
    for row in [] if begun is None else begun.tolist():
        take(row)
    row = int(apart.argmax()) if begun is not None and len(begun) else int(squares.argmin())
    while len(chosen) < count and apart[row] > least:
        gaps.append(float(np.sqrt(apart[row])) if np.isfinite(apart[row]) else np.nan)
        chosen.append(row)
        take(row)
        row = int(apart.argmax())
        if watch.ends(len(chosen), count, (chosen, gaps)):
            break
    return np.array(chosen, np.intp), np.array(gaps, np.float32), float(np.sqrt(apart[row]))


def shares(sizes: np.ndarray, count: int, proportional: bool) -> np.ndarray:
    """Divide a sample among groups.

    Parameters
    ----------
    sizes : ndarray of int, shape (g,)
        Members of each group, one or more.
    count : int
        Of the sample; what groups are too small for goes to the others.
    proportional : bool
        By their sizes (largest remainders, but one of each if there are enough), or the same
        number of each.

    Returns
    -------
    ndarray of intp, shape (g,)
        No more than ``sizes``; together ``count``, or all there are.

    Examples
    --------
    >>> import numpy as np
    >>> shares(np.array([900, 90, 2]), 30, proportional=False).tolist()
    [14, 14, 2]
    >>> shares(np.array([900, 90, 10]), 30, proportional=True).tolist()
    [26, 3, 1]
    """
    count = min(count, int(sizes.sum()))
    given = np.zeros(len(sizes), np.intp)
    if proportional:
        if count >= len(sizes):
            given += 1
        wanted = np.maximum((count * sizes / sizes.sum()) - given, 0)
        rest = count - int(given.sum())
        parts = wanted * rest / wanted.sum() if wanted.sum() else wanted
        given += np.minimum(np.floor(parts).astype(np.intp), sizes - given)
        order = np.argsort(-(parts - np.floor(parts)), kind="stable")
    else:
        order = np.argsort(-sizes, kind="stable")
    while (left := count - int(given.sum())) > 0:
        open_ones = order[given[order] < sizes[order]]
        each = max(1, left // len(open_ones)) if not proportional else 1
        taken = open_ones[:left]
        given[taken] += np.minimum(each, sizes[taken] - given[taken])
    return given


def grid_points(places: np.ndarray, count: int) -> np.ndarray:
    """Choose points evenly over a map: of each cell of a grid the one nearest to its middle.

    Parameters
    ----------
    places : ndarray of float32, shape (n, d)
    count : int
        The finest grid is taken of which no more cells have points.

    Returns
    -------
    ndarray of intp, shape (m,)
    """
    low = places.min(axis=0)
    longest = float(np.ptp(places, axis=0).max())
    fewest, most = 1, _FINEST
    while fewest < most:  # more cells a side, more cells with points
        side = (fewest + most + 1) // 2
        if len(np.unique(_cells(places, low, longest / side), axis=0)) <= count:
            fewest = side
        else:
            most = side - 1
    edge = longest / fewest
    cells = _cells(places, low, edge)
    middle = np.linalg.norm(places - (low + (cells + 0.5) * edge), axis=1)
    order = np.argsort(middle, kind="stable")
    first = np.unique(cells[order], axis=0, return_index=True)[1]
    return order[first].astype(np.intp)[:count]


def _cells(places: np.ndarray, low: np.ndarray, edge: float) -> np.ndarray:
    cells: np.ndarray = np.floor((places - low) / edge).astype(np.int64)
    return cells
