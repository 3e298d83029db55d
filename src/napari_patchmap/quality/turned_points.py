"""Points turned so that their first numbers tell most of their distances."""

from __future__ import annotations

import numpy as np

#: Numbers of a point that are compared at first, at least; then twice as many, up to all.
_FEW = 32

#: What a number of one picked pair costs, in those of a pair in a product of matrices.
_PICKED = 60

#: Up to so many points, and so many times their numbers, a rotation costs more than it saves.
_SMALL, _TIMES = 4_000, 16

#: Numbers that are turned at once.
_VALUES = 2**22

#: Columns at which it is tried how many numbers are best compared at first.
_TRIED = 4096


def turned_points(
    points: np.ndarray, order: np.ndarray
) -> tuple[list[int], np.ndarray, list[np.ndarray]]:
    """Return points as numbers along their principal axes, which leaves distances the same.

    Few points are only centred.

    Parameters
    ----------
    points : ndarray of float64, shape (n, f)
    order : ndarray of int, shape (n,)

    Returns
    -------
    ends : list of int
        After how many numbers distances may be looked at; the last is f.
    turned : ndarray of float32, shape (n, f)
        In that order.
    left : list of ndarray of float64, shape (n,)
        The lengths of the whole points, and of what is beyond each end.
    """
    count, size = points.shape
    ends = [size]
    turn = count > max(_SMALL, _TIMES * size)
    while turn and ends[0] >= 2 * _FEW:
        ends.insert(0, ends[0] // 2)
    centre, axes = points.mean(axis=0), np.eye(size)
    parts = np.array_split(order, -(-points.size // _VALUES))
    if len(ends) > 1:
        spread = np.zeros((size, size))
        for part in parts:
            aside = points[part] - centre
            spread += aside.T @ aside
        axes = np.linalg.eigh(spread)[1][:, ::-1]
    turned, left = np.empty((count, size), np.float32), np.empty((len(ends) + 1, count))
    start = 0
    for part in parts:
        here = slice(start, start := start + len(part))
        aside = points[part] - centre
        if len(ends) > 1:
            aside = aside @ axes
        turned[here] = aside
        for found, end in zip(left, [0, *ends], strict=True):
            found[here] = lengths(aside[:, end:])
    return ends, turned, list(left)


def cheapest(
    ends: list[int],
    turned: np.ndarray,
    left: list[np.ndarray],
    rows: np.ndarray,
    limits: np.ndarray,
) -> int:
    """Return at which of the ends it costs least to begin.

    Parameters
    ----------
    ends, turned
        As :func:`turned_points` returns them.
    left : list of ndarray of float64, shape (n,)
        Without the whole lengths.
    rows : ndarray of int, shape (m,)
        Of ``turned``, such as will be asked about.
    limits : ndarray of float64, shape (m, k)
        Half squares of distances with which those of the rows to all will be compared.
    """
    some = np.linspace(0, len(turned) - 1, min(_TRIED, len(turned))).astype(np.intp)
    low = np.zeros((len(rows), len(some)))
    begin, costs = 0, []
    for end, beyond in zip(ends, left, strict=True):
        one, other = turned[rows, begin:end], turned[some, begin:end]
        low += (lengths(one) ** 2 / 2)[:, None] + lengths(other) ** 2 / 2 - one @ other.T
        begin = end
        aside = (beyond[rows][:, None] - beyond[some]) ** 2 / 2
        width = 2 * beyond[rows][:, None] * beyond[some]
        open_ = np.zeros(low.shape, bool)
        for limit in limits.T[:, :, None]:
            open_ |= (low + aside < limit) & (low + aside + width > limit)
        costs.append(open_.mean() * _PICKED)
    later = np.array(costs) * np.diff(ends, append=ends[-1])
    return int(np.argmin(np.array(ends) + later[::-1].cumsum()[::-1]))


def lengths(vectors: np.ndarray) -> np.ndarray:
    """Return the lengths (n,) of vectors (n, f)."""
    found: np.ndarray = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    return found
