"""A first layout of a map: t-SNE of features, and the neighbours among them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from openTSNE import TSNE

#: Patches that are laid out at most; the others follow when a network learns the layout.
MOST_LANDMARKS = 20_000

#: In the last iterations neighbours attract each other more than t-SNE has it, which
#: sets groups apart. It costs little of the neighbourhoods when it comes last.
_LAST_EXAGGERATION, _LAST_ITERATIONS = 2.0, 100

#: Rows whose distances to all others are in memory at once.
_ROWS = 1024


def tsne_layout(
    features: np.ndarray,
    *,
    seed: int,
    jobs: int = 1,
    should_stop: Callable[[], bool] | None = None,
) -> np.ndarray:
    """Lay features out in two dimensions with t-SNE (openTSNE, Poličar et al. 2019).

    Default settings, perplexity 30 or a third of the patches; cosine distance of
    standardised features; 100 more iterations with an exaggeration of 2.

    Parameters
    ----------
    features : ndarray of float, shape (n, d)
    seed : int
    jobs : int
        Threads.
    should_stop : callable, optional
        Asked now and then; True ends with the layout as it is.

    Returns
    -------
    ndarray of float32, shape (n, 2)
    """
    stopped = False

    def stop(_iteration: int, _error: float, _embedding: np.ndarray) -> bool:
        nonlocal stopped
        stopped = stopped or (should_stop is not None and should_stop())
        return stopped

    tsne = TSNE(
        perplexity=min(30.0, (len(features) - 1) / 3),
        metric="cosine",
        n_jobs=jobs,
        random_state=seed,
        callbacks=stop,
        callbacks_every_iters=10,
    )
    layout = tsne.fit(_standardised(features))
    if not stopped:
        layout = layout.optimize(_LAST_ITERATIONS, exaggeration=_LAST_EXAGGERATION)
    return np.asarray(layout, np.float32)


def nearest_neighbours(features: np.ndarray, count: int) -> np.ndarray:
    """Find the nearest neighbours of each patch by the distance that t-SNE uses here.

    Parameters
    ----------
    features : ndarray of float, shape (n, d)
    count : int
        Neighbours of each patch; fewer if there are not so many others.

    Returns
    -------
    ndarray of int64, shape (n, count)
        In no particular order, never the patch itself.
    """
    standard = _standardised(features).astype(np.float32)
    lengths = np.linalg.norm(standard, axis=1, keepdims=True)
    standard /= np.where(lengths > 0, lengths, 1)
    count = min(count, len(features) - 1)
    found = []
    for start in range(0, len(standard), _ROWS):
        similarity = standard[start : start + _ROWS] @ standard.T
        rows = np.arange(len(similarity))
        similarity[rows, start + rows] = -np.inf
        found.append(np.argpartition(similarity, -count, axis=1)[:, -count:])
    return np.concatenate(found)


def _standardised(features: np.ndarray) -> np.ndarray:
    spread = features.std(axis=0)
    return (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)
