"""Silhouette: are the labels' groups on the map tight and apart?"""

from __future__ import annotations

import numpy as np
from sklearn.metrics import silhouette_samples


def silhouette(embedding: np.ndarray, labels: np.ndarray) -> dict[str, object] | None:
    """Mean silhouette (Rousseeuw 1987) over all points, and over those of each label.

    For each point, ``(b - a) / max(a, b)`` with ``a`` its mean distance to the
    other points of its label and ``b`` the smallest mean distance to the points
    of another label.

    Parameters
    ----------
    embedding : ndarray, shape (n, d)
    labels : ndarray of str, shape (n,)

    Returns
    -------
    dict or None
        ``mean`` (-1 to 1), ``n`` and ``per_class`` (label -> ``mean`` and ``n``);
        None with fewer than two labels or as many labels as points.
    """
    classes = np.unique(labels)
    if not 2 <= len(classes) < len(labels):
        return None
    # Centred double precision: distances stay exact however far the map lies from 0.
    points = np.asarray(embedding, np.float64)
    values = silhouette_samples(points - points.mean(axis=0), labels)
    per_class = {
        str(name): {
            "mean": float(values[labels == name].mean()),
            "n": int((labels == name).sum()),
        }
        for name in classes
    }
    return {"mean": float(values.mean()), "n": len(values), "per_class": per_class}
