"""The numbers by which patches are near to each other or far: their features, or the map."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from sklearn.decomposition import PCA

from napari_patchmap.errors import FindError
from napari_patchmap.find.search import FEWEST, FindInput

#: What patches are compared by.
Space = Literal["features", "map"]

#: Patches from which principal components are taken, and rows that are turned at once.
_SAMPLE, _PART = 20_000, 16_384


def points_of(looked: FindInput, of: Space) -> np.ndarray:
    """Return the numbers by which patches are compared, by Euclidean distance.

    Where the metric of the features is the cosine, each row has a length of 1.

    Returns
    -------
    ndarray of float32, shape (n, d)
        Not to be changed: it may be that of the run.

    Raises
    ------
    FindError
        If there are no features, too few patches, numbers that are not finite, or all
        patches are alike.
    """
    if of == "map":
        return _places(looked)
    points = np.ascontiguousarray(looked.usable_features(), np.float32)
    if looked.metric == "euclidean":
        return points
    lengths = np.sqrt(np.einsum("nd,nd->n", points, points))
    return points / np.maximum(lengths, np.finfo(np.float32).tiny)[:, None]


def _places(looked: FindInput) -> np.ndarray:
    places = np.ascontiguousarray(looked.embedding, np.float32)
    if not np.isfinite(places).all():
        raise FindError("Some places on the map are not numbers; train the map again.")
    if len(places) >= FEWEST and not (places != places[0]).any():
        raise FindError(
            "All patches have the same place on the map, so there is nothing to find."
        )
    # What is said of features otherwise holds for the map, too.
    return replace(looked, features=places).usable_features()


def reduced(points: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Return the first principal components of points, (n, at most ``most``), float32.

    They are those of at most 20,000 patches, drawn by the seed.
    """
    if points.shape[1] <= most or len(points) <= most:
        return points
    found = PCA(most, random_state=seed, svd_solver="covariance_eigh")
    found.fit(points[drawn(len(points), _SAMPLE, seed)])
    out = np.empty((len(points), most), np.float32)
    for start in range(0, len(points), _PART):
        out[start : start + _PART] = found.transform(points[start : start + _PART])
    return out


def drawn(count: int, most: int, seed: int) -> np.ndarray:
    """Draw at most so many of ``count`` rows, in order; all if there are no more."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))
