"""A first layout of a map: t-SNE of features."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from openTSNE import TSNE

#: Patches that are laid out at most; the others follow when a network learns the layout.
MOST_LANDMARKS = 7_000


def tsne_layout(
    features: np.ndarray,
    *,
    seed: int,
    jobs: int = 1,
    should_stop: Callable[[], bool] | None = None,
) -> np.ndarray:
    """Lay features out in two dimensions with t-SNE (openTSNE, Poličar et al. 2019).

    Default settings, perplexity 30 or a third of the patches; cosine distance of
    standardised features.

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
    spread = features.std(axis=0)
    standard = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)

    def stop(_iteration: int, _error: float, _embedding: np.ndarray) -> bool:
        return should_stop is not None and should_stop()

    tsne = TSNE(
        perplexity=min(30.0, (len(features) - 1) / 3),
        metric="cosine",
        n_jobs=jobs,
        random_state=seed,
        callbacks=stop,
        callbacks_every_iters=10,
    )
    return np.asarray(tsne.fit(standard), np.float32)
