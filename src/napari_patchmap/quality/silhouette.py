"""Silhouette: are the labels' groups on the map tight and apart?"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import silhouette_samples

from napari_patchmap.quality.figure import FigureInput, QualityFigure, label_means

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
        ``mean`` (-1 to 1), ``n`` and ``per_class`` (label -> ``mean`` and ``n``).
    """
    assert given.labels is not None
    # Centred double precision: distances stay exact however far the map lies from 0.
    points, labels = np.asarray(given.embedding, np.float64), given.labels
    values = silhouette_samples(points - points.mean(axis=0), labels)
    per_class = label_means(values, labels, "mean")
    return {"mean": float(values.mean()), "n": len(values), "per_class": per_class}


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
