"""Gaussian groups of patches, of which some are annotated."""

from __future__ import annotations

import numpy as np

NAMES = ("round", "long", "spiky")


def groups(apart: float, each: int = 200, classes: int = 3, seed: int = 0):
    """Return features of Gaussian groups and which each patch is of."""
    rng = np.random.default_rng(seed)
    true = np.repeat(np.arange(classes), each)
    x = rng.normal(size=(len(true), 12)).astype(np.float32)
    x[np.arange(len(true)), true] += apart
    return x, true


def some(true: np.ndarray, *counts: int) -> np.ndarray:
    """Annotate so many of each class."""
    codes = np.full(len(true), -1, np.int16)
    for k, count in enumerate(counts):
        codes[np.flatnonzero(true == k)[:count]] = k
    return codes
