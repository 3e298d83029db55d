"""A first layout of a map for a network to learn, and the neighbours among the features."""

from __future__ import annotations

import numpy as np
import torch

from napari_patchmap.layout.neighbour_search import nearest
from napari_patchmap.layout.tsne import Tsne

#: Patches that are laid out at most; the others follow when a network learns the layout.
MOST_LANDMARKS = 20_000

#: Fewer iterations than a t-SNE for people has: the last ones take most of the time and
#: move points by less than a network can learn. In the very last, neighbours attract
#: each other more, which sets groups apart and costs little of the neighbourhoods.
_ITERATIONS, _LAST_EXAGGERATION = 250, 2.0


def first_tsne(seed: int) -> Tsne:
    """Return the t-SNE of standardised features whose result a network learns."""
    return Tsne(
        metric="cosine", seed=seed, iterations=_ITERATIONS, last_exaggeration=_LAST_EXAGGERATION
    )


def nearest_neighbours(
    features: np.ndarray, count: int, device: torch.device | None = None
) -> np.ndarray:
    """Return so many neighbours of each patch, (n, count), nearest by the same distance."""
    return nearest(standardised(features), count, "cosine", device=device)[0]


def standardised(features: np.ndarray) -> np.ndarray:
    """Return features of mean 0 and deviation 1; constant ones become 0."""
    spread = features.std(axis=0)
    return (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)
