"""A first layout of a map for a network to learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_patchmap.layout.tsne import QUICK, Tsne

#: Patches that are laid out at most; the others follow when a network learns the layout.
MOST_LANDMARKS = 20_000


def first_tsne(seed: int) -> Tsne:
    """Return the t-SNE whose result a network learns."""
    return replace(QUICK, seed=seed)


def standardised(features: np.ndarray) -> np.ndarray:
    """Return features of mean 0 and deviation 1; constant ones become 0."""
    spread = features.std(axis=0)
    return (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)
