"""Silhouette: are the labels' groups on the map tight and apart?"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from scipy.spatial.distance import cdist

from napari_patchmap.quality.figure import (
    AT_FIRST,
    FigureInput,
    QualityFigure,
    label_means,
    mean_entry,
)

#: Seconds that a pair of patches takes, measured on two CPU cores.
_PAIR_SECONDS = 2e-9

#: Rows between two looks whether to end, and distances that are computed at once.
_PART, _AT_ONCE = 2_000, 2**19

#: Pairs of patches at most whose features are compared, and patches that are looked at.
_PAIRS, _FEWEST, _MOST = 30_000_000, 200, 2_000

#: Rows of up to so many values are left to one thread: threads wait for each other at the
#: end of every operation.
_LONG = 10_000


def silhouette(given: FigureInput) -> dict[str, Any]:
    """Mean silhouette (Rousseeuw 1987) over all points, and over those of each label.

    For each point, ``(b - a) / max(a, b)`` with ``a`` its mean distance to the
    other points of its label and ``b`` the smallest mean distance to the points
    of another label.

    Returns
    -------
    dict
        ``mean`` (-1 to 1), ``low`` and ``high`` (its 95 % interval), ``n`` and
        ``per_class`` (label -> ``mean`` and ``n``).
    """
    assert given.labels is not None
    values = given.once(silhouettes)
    seen = np.isfinite(values)
    per_class = label_means(values[seen], given.labels[seen], "mean")
    return mean_entry(values[seen], of=len(given)) | {"per_class": per_class}


def silhouettes(given: FigureInput) -> np.ndarray:
    """Return the silhouette of each point, (n,); of more than ``given.most`` those of some.

    Distances are computed in double precision, some rows at a time, so that they stay in
    the processor's cache until they are added.
    """
    assert given.labels is not None
    count = len(given)
    # Centred, distances stay exact however far the map lies from 0.
    points = np.asarray(given.embedding, np.float64)
    points = points - points.mean(axis=0)
    codes = np.unique(given.labels, return_inverse=True)[1]
    order = np.argsort(codes, kind="stable")
    members = np.bincount(codes)
    starts = np.cumsum(members) - members
    ordered = points[order]
    rows = np.arange(count)
    if count > given.most:
        rows = np.sort(np.random.default_rng(0).choice(count, given.most, replace=False))
    values = np.full(count, np.nan)

    def find(some: np.ndarray) -> None:
        for part in np.array_split(some, max(1, len(some) * count // _AT_ONCE)):
            means = np.add.reduceat(cdist(points[part], ordered), starts, axis=1)
            place, own = np.arange(len(part)), codes[part]
            inner = means[place, own] / (members[own] - 1)
            means /= members
            means[place, own] = np.inf
            outer = means.min(axis=1)
            largest = np.maximum(inner, outer)
            values[part] = np.where(largest > 0, outer - inner, 0) / np.where(
                largest > 0, largest, 1
            )

    for start in range(0, len(rows), _PART):
        given.watch.step(start, len(rows))
        share_rows(find, rows[start : start + _PART], count)
    return values


def _in_features(given: FigureInput) -> dict[str, Any]:
    """Mean silhouette of some patches among the features; see :func:`silhouette`."""
    assert given.features is not None
    # A distance takes as long as a hundred in two dimensions.
    most = int(np.clip(_PAIRS // len(given), _FEWEST, _MOST))
    return silhouette(replace(given, embedding=given.features, most=most))


def share_rows(work: Callable[[np.ndarray], None], rows: np.ndarray, length: int) -> None:
    """Do some work for rows of so many values each, in as many threads as torch has."""
    threads = torch.get_num_threads() if length > _LONG else 1
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, np.array_split(rows, threads)))


SILHOUETTE = QualityFigure(
    key="silhouette",
    name="silhouette",
    short="silh.",
    compute=silhouette,
    in_features=_in_features,
    each=lambda given: given.once(silhouettes),
    value="mean",
    needs_labels=True,
    by_label=True,
    seconds=lambda n: _PAIR_SECONDS * min(n, AT_FIRST) * n,
    help="For each patch: how much closer it lies to its own label's patches than to those of "
    "the closest other label. 1 means tight, well separated groups, 0 that groups touch, below "
    "0 that patches lie nearer to another label. A map can have high accuracy and a low "
    "silhouette when a label forms several groups.",
    reference="Rousseeuw 1987",
)
