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
from napari_patchmap.patches.watch import Watch

#: Patches that are looked at for representative ones, at most.
_SAMPLE = 20_000

#: The most uncertain ones among which diverse ones are chosen, for each that is wanted.
_POOL = 50

#: Two that are closer than this share of the usual distance to the middle of a group are
#: near duplicates.
_ALIKE = 0.2


def most_useful(
    features: np.ndarray,
    suggestions: Suggestions | None,
    codes: np.ndarray,
    count: int = 20,
    seed: int = 0,
    watch: Watch | None = None,
) -> np.ndarray:
    """Return the patches that are most useful to annotate next.

    With suggestions those are uncertain and different from each other: k-means, weighted by
    how uncertain they are, of the most uncertain patches, and of each group the one nearest
    to its middle (Zhdanov, "Diverse mini-batch active learning", 2019). Without, they stand
    for the whole map: k-means of all (typical patches are worth most in the beginning:
    Hacohen, Dekel and Weinshall, "Active learning on a budget", ICML 2022).

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
    watch = watch or Watch()
    check_features(features, len(codes))
    watch.step(0, 2)
    free = np.flatnonzero(np.asarray(codes) < 0)
    if not len(free) or count < 1:
        return np.empty(0, np.intp)
    if suggestions is None:
        pool = free[spread_rows(len(free), max(_SAMPLE, count))]
        weights = np.ones(len(pool))
    else:
        size = min(len(free), _POOL * count)
        pool = free[np.argsort(suggestions.margin[free], kind="stable")[:size]]
        weights = np.maximum(1 - suggestions.margin[pool].astype(float), 1e-6)
    x = rows_of(features, pool)
    x, first = np.unique(x, axis=0, return_index=True)
    pool, weights = pool[first], weights[first]
    groups = KMeans(min(count, len(pool)), n_init=1, random_state=seed, max_iter=50)
    own = groups.fit(x, sample_weight=weights).labels_
    watch.step(1, 2)
    apart = np.linalg.norm(x - groups.cluster_centers_[own], axis=1)
    alike = _ALIKE * float(np.median(apart))
    chosen: list[int] = []
    sizes = np.bincount(own)
    for group in np.argsort(-sizes, kind="stable"):
        members = np.flatnonzero(own == group)
        for row in members[np.argsort(apart[members], kind="stable")]:
            if all(np.linalg.norm(x[row] - x[other]) > alike for other in chosen):
                chosen.append(int(row))
                break
    found = pool[chosen]
    if suggestions is not None:
        found = found[np.argsort(suggestions.margin[found], kind="stable")]
    return found.astype(np.intp)
