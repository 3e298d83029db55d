"""Silhouette: are the labels' groups on the map tight and apart?"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import silhouette_samples

from napari_patchmap.quality.figure import FigureInput, QualityFigure, label_means, mean_entry

#: Seconds that a pair of patches takes, measured on two CPU cores.
_PAIR_SECONDS = 1e-8


def silhouette(given: FigureInput) -> dict[str, Any]:
    """Mean silhouette (Rousseeuw 1987) over all points, and over those of each label.

    For each point, ``(b - a) / max(a, b)`` with ``a`` its mean distance to the
    other points of its label and ``b`` the smallest mean distance to the points
    of another label.

    Returns
    -------
    dict
        ``mean`` (-1 to 1), ``low`` and ``high`` (its 95 % interval), ``n`` and ``per_class``
        (label -> ``mean`` and ``n``).
    """
    assert given.labels is not None
    values = silhouettes(given)
    per_class = label_means(values, given.labels, "mean")
    return mean_entry(values, "mean") | {"per_class": per_class}


def silhouettes(given: FigureInput) -> np.ndarray:
    """Return the silhouette of each point, (n,)."""
    # Centred double precision: distances stay exact however far the map lies from 0.
    points = np.asarray(given.embedding, np.float64)
    values: np.ndarray = silhouette_samples(points - points.mean(axis=0), given.labels)
    return values


SILHOUETTE = QualityFigure(
    key="silhouette",
    name="silhouette",
    short="silh.",
    compute=silhouette,
    value="mean",
    needs_labels=True,
    by_label=True,
    seconds=lambda n: _PAIR_SECONDS * n**2,
    help="For each patch: how much closer it lies to its own label's patches than to those of "
    "the closest other label. 1 means tight, well separated groups, 0 that groups touch, below "
    "0 that patches lie nearer to another label. A map can have high accuracy and a low "
    "silhouette when a label forms several groups.",
    reference="Rousseeuw 1987",
)
