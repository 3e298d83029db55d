"""What a file of features holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """A row of numbers for each patch, and what tells which patch a row is of.

    Parameters
    ----------
    path : Path
    values : ndarray of float32, shape (n, d)
    names : tuple of str
        Of the features; empty where they have none.
    keys : DataFrame of str, shape (n, k)
        What may tell which patch a row is of; without columns where nothing does.
    one_unit : bool
        Whether all features share a unit, as the outputs of a network do, and no column
        is a measurement of its own.
    part : str
        Which array of the file it is, such as ``X_pca``; "" where it has only one.
    notes : sequence of str
        What people should know of how it was read, in sentences.
    """

    path: Path
    values: np.ndarray
    names: tuple[str, ...]
    keys: pd.DataFrame
    one_unit: bool
    part: str = ""
    notes: Sequence[str] = field(default_factory=tuple)

    def __len__(self) -> int:
        return len(self.values)

    def name(self, column: int) -> str:
        """Say which feature is meant: by its name, or counted from 1."""
        return self.names[column] if self.names else f"number {column + 1}"
