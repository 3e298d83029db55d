"""What a map keeps of the neighbourhoods among features: ranks, counted among all patches."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree
from threadpoolctl import threadpool_limits
from torch import Tensor

from napari_patchmap.layout.neighbour_search import Metric
from napari_patchmap.patches.watch import UNWATCHED, LoadCancelled, Watch
from napari_patchmap.quality.ranked_places import RankedPlaces
from napari_patchmap.quality.ranked_points import RankedPoints

#: Neighbours that ranks are counted of, and most of which is asked whether they are kept.
RANKED, MOST = 15, 50

#: Distances that are in memory at once.
_PAIRS = 2**26

#: Up to so many patches double precision costs nothing that is felt.
_PRECISE = 4_000

#: Shorter vectors have no direction.
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """How the neighbours of patches differ between their features and a map.

    Row i of each array is of patch ``rows[i]``; neighbours are looked for among all
    ``patches``, of which a patch is not one of its own.

    Parameters
    ----------
    patches : int
    rows : ndarray of intp, shape (m,)
        The patches that were looked at; all, or some drawn at random.
    false, missing : ndarray of float64, shape (m, k)
        For each of the ``k`` nearest on the map, how far beyond the k nearest it is in the
        features (0 if it is among them); for each of those in the features, likewise on
        the map: ``max(0, r - k)`` of Venna and Kaski (2001), equations 1 and 2.
    kept : dict
        Share of the nearest features that are among as many nearest on the map, (m,), by
        how many.
    """

    patches: int
    rows: np.ndarray
    false: np.ndarray
    missing: np.ndarray
    kept: dict[int, np.ndarray]

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Return values of the rows as those of all patches (n,), NaN for the others."""
        found = np.full(self.patches, np.nan)
        found[self.rows] = values
        return found

    def trustworthiness(self) -> np.ndarray:
        """Return that of each patch (m,); their mean is that of the map."""
        return self._without(self.false)

    def continuity(self) -> np.ndarray:
        """Return that of each patch (m,); their mean is that of the map."""
        return self._without(self.missing)

    def _without(self, beyond: np.ndarray) -> np.ndarray:
        n, k = self.patches, beyond.shape[1]
        share: np.ndarray = 1 - beyond.sum(axis=1) * 2 / (k * (2 * n - 3 * k - 1))
        return share


def neighbourhood(
    features: np.ndarray,
    embedding: np.ndarray,
    *,
    metric: Metric = "euclidean",
    rows: np.ndarray | None = None,
    kept: tuple[int, ...] = (RANKED, MOST),
    watch: Watch = UNWATCHED,
) -> Neighbourhood:
    """Compare the neighbours of patches on a map with those among their features.

    All distances are computed, none is approximated. Where two patches are as far from a
    third, both have the better rank.

    Parameters
    ----------
    features : ndarray of float, shape (n, f)
    embedding : ndarray of float, shape (n, d)
        Finite.
    metric : {"euclidean", "cosine"}
        Of the features; the map's is Euclidean.
    rows : ndarray of int, shape (m,), optional
        Patches to look at; all by default.
    kept : tuple of int
        Numbers of neighbours; fewer than the patches.
    watch : Watch
        Told between two parts how many of how many rows are done.

    Raises
    ------
    LoadCancelled
        If ``watch`` wants to stop.
    """
    count = len(embedding)
    rows = np.arange(count) if rows is None else np.asarray(rows, np.intp)
    points = _values(embedding).astype(np.float64)
    on_map = nearest_on_map(points, rows, max(RANKED, *kept))
    threads, asked = torch.get_num_threads(), on_map[:, :RANKED]
    there = RankedPoints(_values(features, metric), rows, asked, on_map.shape[1], threads)
    places = RankedPlaces(points)
    false, missing = np.empty((len(rows), RANKED)), np.empty((len(rows), RANKED))
    shares = {k: np.empty(len(rows)) for k in kept}

    def compare(part: np.ndarray) -> None:
        ours = there.squares(rows[part], on_map[part])
        among = there.of(rows[part], ours, RANKED)
        for k, share in shares.items():
            share[part] = (ours[:, :k] <= among.squares[:, k - 1 : k]).sum(axis=1) / k
        false[part] = _beyond(ours[:, :RANKED], among.squares[:, RANKED - 1], among.nearer)
        theirs = places.squares(rows[part], among.found[:, :RANKED])
        nearest = places.squares(rows[part], on_map[part][:, RANKED - 1 : RANKED])[:, 0]
        missing[part] = _beyond(theirs, nearest, places.nearer(rows[part], theirs, nearest))

    done = 0
    # A thread for each part, and so one for each product of matrices.
    with ThreadPoolExecutor(threads) as pool, threadpool_limits(1):
        waiting = [pool.submit(compare, part) for part in there.groups]
        for part, one in zip(there.groups, waiting, strict=True):
            try:
                watch.step(done, len(rows))
            except LoadCancelled:
                pool.shutdown(cancel_futures=True)
                raise
            one.result()
            done += len(part)
    return Neighbourhood(count, rows, false, missing, shares)


def _beyond(squares: np.ndarray, nearest: np.ndarray, nearer: np.ndarray) -> np.ndarray:
    """How many more than the k nearest of each row lie nearer than some of its points, (b, k).

    ``nearest`` is the distance of the k-th, (b,).
    """
    # The rank is 1 more than the number of those that lie nearer.
    return np.where(squares > nearest[:, None], nearer + 1 - squares.shape[1], 0)


def _values(values: np.ndarray, metric: Metric = "euclidean") -> np.ndarray:
    """Return what has Euclidean distances in the order of a metric, (n, f)."""
    if metric == "euclidean" and values.dtype == np.float32:
        return np.ascontiguousarray(values)
    points = np.array(values, np.float64, order="C")
    if metric == "cosine":
        points /= np.maximum(np.linalg.norm(points, axis=1, keepdims=True), _TINY)
    return points


def _parts(rows: int, count: int) -> Iterator[slice]:
    step = max(1, _PAIRS // count)
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


def nearest_on_map(points: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
    """Return the nearest other points on a map of some rows, (m, count), the nearest first."""
    found = cKDTree(points).query(points[rows], count + 1, workers=torch.get_num_threads())[1]
    others = found != rows[:, None]
    # Of many points in one place a point need not be the first of its own neighbours.
    others[others.all(axis=1), -1] = False
    return np.asarray(found[others].reshape(len(rows), count), np.int64)


def nearest_features(
    features: np.ndarray, rows: np.ndarray, count: int, metric: Metric = "euclidean"
) -> np.ndarray:
    """Return the nearest other patches by their features of some rows, (m, count)."""
    there = torch.from_numpy(_values(features, metric).astype(np.float64))
    there -= there.mean(dim=0)
    if len(there) > _PRECISE:
        there = there.float()
    squares = there.square().sum(dim=1) / 2
    found = np.empty((len(rows), count), np.int64)
    for part in _parts(len(rows), len(features)):
        own = torch.from_numpy(rows[part])
        found[part] = _apart(there, squares, own).topk(count, dim=1, largest=False).indices
    return found


def _apart(there: Tensor, squares: Tensor, own: Tensor) -> Tensor:
    """Return what grows with the distance of some points to all, (b, n), and inf to itself.

    Half the square of the distance, less what a row has in common.
    """
    apart = torch.addmm(squares[None, :], there[own], there.T, alpha=-1)
    apart[torch.arange(len(own)), own] = torch.inf
    return apart
