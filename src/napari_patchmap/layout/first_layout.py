"""A first layout of a map for a network to learn, and the neighbours among the features."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from napari_patchmap.layout.neighbour_search import nearest
from napari_patchmap.layout.tsne import LayoutWatch, Tsne

#: Patches that are laid out at most; the others follow when a network learns the layout.
MOST_LANDMARKS = 20_000

#: Fewer iterations than a t-SNE for people has: the last ones take most of the time and
#: move points by less than a network can learn. In the very last, neighbours attract
#: each other more, which sets groups apart and costs little of the neighbourhoods.
_ITERATIONS, _LAST_EXAGGERATION = 250, 2.0


def first_tsne(seed: int) -> Tsne:
    """Return the t-SNE (openTSNE, Poličar et al. 2019) whose result a network learns.

    Perplexity 30 or a third of the patches; cosine distance; 250 iterations after the
    early phase and 100 more with an exaggeration of 2.
    """
    return Tsne(
        metric="cosine",
        seed=seed,
        iterations=_ITERATIONS,
        last_exaggeration=_LAST_EXAGGERATION,
    )


def tsne_layout(
    features: np.ndarray,
    *,
    seed: int,
    jobs: int = 1,
    watch: LayoutWatch | None = None,
    hurry: Callable[[int], bool] | None = None,
) -> np.ndarray:
    """Lay standardised features out in two dimensions by :func:`first_tsne`.

    Parameters
    ----------
    features : ndarray of float, shape (n, d)
    seed : int
    jobs : int
        Threads.
    watch, hurry : callable, optional
        As :meth:`Tsne.lay_out` asks them.

    Returns
    -------
    ndarray of float32, shape (n, 2)
    """
    tsne = first_tsne(seed)
    return tsne.lay_out(standardised(features), jobs=jobs, watch=watch, hurry=hurry)


def nearest_neighbours(features: np.ndarray, count: int) -> np.ndarray:
    """Find the nearest neighbours of each patch by the distance that the layout uses.

    Parameters
    ----------
    features : ndarray of float, shape (n, d)
    count : int
        Neighbours of each patch; fewer if there are not so many others.

    Returns
    -------
    ndarray of int64, shape (n, count)
        Never the patch itself.
    """
    return nearest(standardised(features), count, "cosine")[0]


def standardised(features: np.ndarray) -> np.ndarray:
    """Return features of mean 0 and deviation 1; constant ones become 0."""
    spread = features.std(axis=0)
    return (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)
