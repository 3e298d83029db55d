"""Which patches are worth a person's next look."""

from __future__ import annotations

import numpy as np
from sklearn.cluster import KMeans

from napari_patchmap.explore.feature_rows import (
    check_features,
    rows_of,
    spread_rows,
)
from napari_patchmap.explore.suggest import Suggestions
from napari_patchmap.patches.watch import UNWATCHED, Watch

#: Patches that are looked at for representative ones, at most.
_SAMPLE = 20_000

#: Uncertain ones that are drawn, for each that is wanted: near duplicates are left out.
_DRAWN = 5

#: Two that are closer than this share of the usual distance are near duplicates.
_ALIKE = 0.2


def most_useful(
    features: np.ndarray,
    suggestions: Suggestions | None,
    codes: np.ndarray,
    count: int = 20,
    seed: int = 0,
    watch: Watch = UNWATCHED,
) -> np.ndarray:
    """Return the patches that are most useful to annotate next.

    With suggestions they are drawn at random, the more uncertain the more probably: by the
    square of one less the margin. The most uncertain alone would lie between two classes and
    say little of either; draws are diverse by themselves (Kirsch et al., "Stochastic batch
    acquisition", TMLR 2023). Without suggestions they stand for the whole map: k-means of
    all, and of each group the one nearest to its middle (typical patches are worth most in
    the beginning: Hacohen, Dekel and Weinshall, "Active learning on a budget", ICML 2022).

    Parameters
    ----------
    features : ndarray of float16 or float32, shape (n, d)
        Read in parts; may be a memory map.
    suggestions : Suggestions or None
        Of the same patches; None before there are any.
    codes : ndarray of int, shape (n,)
        Class of each patch, -1 where it is not annotated; others are never returned.
    count : int
    seed : int
    watch : Watch, optional

    Returns
    -------
    ndarray of intp, shape (m,)
        The most uncertain first; without suggestions, those of the largest groups. Fewer
        than ``count`` where the rest are annotated or near duplicates.

    Raises
    ------
    SuggestionError
        If the features are missing, of other patches, or not finite.
    LoadCancelled
        If the watch says so.
    """
    check_features(features, len(codes))
    watch.step(0, 2)
    free = np.flatnonzero(np.asarray(codes) < 0)
    if not len(free) or count < 1:
        return np.empty(0, np.intp)
    if suggestions is None:
        return _typical(features, free, count, seed, watch)
    # The largest of these sums are drawn as if one after the other, without putting back.
    random = np.random.default_rng([seed, len(codes) - len(free)])
    doubt = np.maximum(1 - suggestions.margin[free].astype(float), 1e-6)
    keys = 2 * np.log(doubt) + random.gumbel(size=len(free))
    drawn = free[np.argsort(-keys, kind="stable")[: _DRAWN * count]]
    watch.step(1, 2)
    x = rows_of(features, drawn)
    apart = np.linalg.norm(x[:, None] - x[None], axis=2)
    found = drawn[_unlike(apart, _ALIKE * float(np.median(apart)), count)]
    return found[np.argsort(suggestions.margin[found], kind="stable")].astype(np.intp)


def _unlike(apart: np.ndarray, least: float, count: int) -> list[int]:
    """Return the first rows no two of which are as near to each other as ``least``."""
    chosen: list[int] = []
    for row in range(len(apart)):
        if len(chosen) == count:
            break
        if (apart[row, chosen] > least).all():
            chosen.append(row)
    return chosen


def _typical(
    features: np.ndarray, free: np.ndarray, count: int, seed: int, watch: Watch
) -> np.ndarray:
    """Return patches that stand for groups of alike ones, those of the largest groups first."""
    pool = free[spread_rows(len(free), max(_SAMPLE, count))]
    x, first = np.unique(rows_of(features, pool), axis=0, return_index=True)
    pool = pool[first]
    groups = KMeans(min(count, len(pool)), n_init=1, random_state=seed, max_iter=50)
    own = groups.fit(x).labels_
    watch.step(1, 2)
    apart = np.linalg.norm(x - groups.cluster_centers_[own], axis=1)
    alike = _ALIKE * float(np.median(apart))
    chosen: list[int] = []
    for group in np.argsort(-np.bincount(own), kind="stable"):
        members = np.flatnonzero(own == group)
        for row in members[np.argsort(apart[members], kind="stable")]:
            if all(np.linalg.norm(x[row] - x[other]) > alike for other in chosen):
                chosen.append(int(row))
                break
    return pool[chosen].astype(np.intp)
