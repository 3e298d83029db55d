"""Without labels: does the map keep which groups are near to each other, and which far?"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import rankdata
from sklearn.cluster import KMeans

from napari_patchmap.quality.figure import (
    NEIGHBOURS,
    FigureInput,
    QualityFigure,
    refuse_useless,
)

#: Groups at most and at least, and patches that each of them should have.
_MOST, _LEAST, _MEMBERS = 30, 5, 20

#: Patches from which the groups are found.
_SAMPLE = 20_000

#: Draws of groups for the interval.
_DRAWS = 500


def group_order(given: FigureInput) -> dict[str, Any] | None:
    """Rank correlation of the distances between groups, in the features and on the map.

    Groups are found by k-means among the features (up to 30). The distances between
    their centres are compared with those between their mean places on the map by
    Spearman's rank correlation, as Kobak and Berens (2019) do between classes. The
    interval is that of groups drawn again with replacement.

    Returns
    -------
    dict or None
        ``correlation`` (-1 to 1), ``low`` and ``high`` (its 95 % interval), ``groups``
        and ``n``. None where there are fewer than five groups of 20.
    """
    centres = given.once(_centres)
    if centres is None:
        return None
    there, here = (cdist(c, c) for c in centres)
    groups = len(there)
    pairs = np.triu_indices(groups, 1)
    rng, drawn = np.random.default_rng(0), []
    for _ in range(_DRAWS):
        some = rng.integers(groups, size=groups)
        chosen = some[pairs[0]], some[pairs[1]]
        other = chosen[0] != chosen[1]
        drawn.append(_spearman(there[chosen][other], here[chosen][other]))
    found = np.array(drawn)
    low, high = np.percentile(found[np.isfinite(found)], (2.5, 97.5))
    return {
        "correlation": float(_spearman(there[pairs], here[pairs])),
        "low": float(low),
        "high": float(high),
        "groups": groups,
        "n": len(given),
    }


def order_of_each(given: FigureInput) -> np.ndarray:
    """Return for each patch how its distances to the groups correlate, (n,)."""
    centres = given.once(_centres)
    assert centres is not None
    there = cdist(given.features, centres[0])
    return _spearman(there, cdist(given.embedding, centres[1]))


def _centres(given: FigureInput) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the centres of groups in the features, (g, f), and on the map, (g, d)."""
    features = given.features
    assert features is not None
    count = min(_MOST, len(given) // _MEMBERS)
    if count < _LEAST:
        return None
    refuse_useless(features)
    rng = np.random.default_rng(0)
    some = rng.permutation(len(given))[:_SAMPLE]
    groups = KMeans(count, n_init=1, random_state=0).fit(np.asarray(features[some], np.float64))
    codes = groups.predict(np.asarray(features, np.float64))
    kept = np.flatnonzero(np.bincount(codes, minlength=count))
    if len(kept) < _LEAST:
        return None
    mean = np.array([given.embedding[codes == code].mean(axis=0) for code in kept], float)
    return groups.cluster_centers_[kept], mean


def _spearman(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation along the last axis."""
    ranks = [rankdata(values, axis=-1) for values in (first, second)]
    one, other = (r - r.mean(axis=-1, keepdims=True) for r in ranks)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: np.ndarray = (one * other).sum(axis=-1) / np.sqrt(
            (one**2).sum(axis=-1) * (other**2).sum(axis=-1)
        )
    return found


GROUP_ORDER = QualityFigure(
    key="order_of_groups",
    name="order of groups",
    compute=group_order,
    each=order_of_each,
    value="correlation",
    headline=False,
    question=NEIGHBOURS,
    needs_features=True,
    undefined="{n:,} patches have no five groups of 20 that differ, so the order of groups is "
    "not defined.",
    seconds=lambda n: 1e-4 * n,
    help="The patches are put into up to 30 groups by their features. Are groups that lie far "
    "from each other on the map those that look least alike? 1 means that all distances "
    "between groups are in the same order, 0 that where groups lie says nothing. Most maps "
    "keep neighbours better than this: a low number means not to read anything into which "
    "islands are far apart.",
    reference="as Kobak and Berens 2019",
)
