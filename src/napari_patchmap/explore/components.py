"""Principal components of the features of very many patches, a part at a time."""

from __future__ import annotations

import numpy as np

from napari_patchmap.errors import BatchError
from napari_patchmap.explore.feature_rows import in_parts
from napari_patchmap.patches.watch import Watch

#: A deviation below this share of what is usual is rounding: features have single precision.
ROUNDING = 1e-5


def components(
    features: np.ndarray, variance: float, watch: Watch
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the principal components of features (n, d) that hold a share of their variance.

    As scikit-learn's PCA does, signs included, but for those whose deviation is rounding.

    Returns
    -------
    mean : ndarray of float64, shape (d,)
    axes : ndarray of float64, shape (k, d)
        The largest first.
    scale : ndarray of float64, shape (k,)
        Deviations along them.

    Raises
    ------
    BatchError
        If the features of all patches are alike.
    SuggestionError
        If one is not a finite number.
    LoadCancelled
        If ``watch`` says so.
    """
    mean = np.zeros(features.shape[1])
    for _, part in in_parts(features, watch):
        mean += part.sum(axis=0, dtype=np.float64) / len(features)
    scatter = np.zeros((len(mean), len(mean)))
    for _, part in in_parts(features, watch):
        centred = part - mean
        scatter += centred.T @ centred
    values, vectors = np.linalg.eigh(scatter / len(features))
    spread = np.sqrt(np.clip(values[::-1], 0, None))
    axes = vectors[:, ::-1].T
    if not spread[0] > ROUNDING * max(1e-30, np.abs(mean).max()):
        raise BatchError(
            "The features of all patches are alike, so there is nothing to even out; train "
            "again."
        )
    share = np.cumsum(spread**2) / (spread**2).sum()
    kept = int(np.searchsorted(share, variance, side="right")) + 1
    kept = min(kept, int((spread > ROUNDING * spread[0]).sum()))
    axes, spread = axes[:kept], spread[:kept]
    largest = np.abs(axes).argmax(axis=1)
    axes = axes * np.sign(axes[np.arange(kept), largest])[:, None]
    return mean, axes, spread


def means_and_scales(
    features: np.ndarray,
    mean: np.ndarray,
    axes: np.ndarray,
    names: np.ndarray,
    batches: np.ndarray,
    watch: Watch,
) -> tuple[np.ndarray, np.ndarray]:
    """Return means and deviations (b, k) of some batches along the components."""
    shape = len(names), len(axes)
    counts, sums, squares = np.zeros(len(names)), np.zeros(shape), np.zeros(shape)
    for rows, part in in_parts(features, watch):
        turned = (part - mean) @ axes.T
        for place, name in enumerate(names):
            own = turned[batches[rows] == name]
            counts[place] += len(own)
            sums[place] += own.sum(axis=0)
            squares[place] += (own**2).sum(axis=0)
    means = sums / counts[:, None]
    return means, np.sqrt(np.clip(squares / counts[:, None] - means**2, 0, None))
