"""Features of people's own, as a patch set has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.few_names import some_of


@dataclass(frozen=True, eq=False)
class OwnRows:
    """Row i is of patch i.

    Parameters
    ----------
    values : ndarray of float32, shape (n, d)
        Finite.
    names : tuple of str
        Of the features, d of them; empty where they have none.
    one_unit : bool
        Whether they share a unit, as the outputs of a network do.
    file, part : str
        Where they are from.
    notes : tuple of str
        In sentences.
    """

    values: np.ndarray
    names: tuple[str, ...]
    one_unit: bool
    file: str
    part: str = ""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def picked(self, rows: np.ndarray) -> OwnRows:
        """Return those of some of the patches."""
        return replace(self, values=self.values[rows])

    def like(self, names: Sequence[str], count: int, map_name: str) -> OwnRows:
        """Return the features that a map knows, by their names where they have some.

        Raises
        ------
        PatchError
            If they are others.
        """
        if names and self.names:
            at = {name: i for i, name in enumerate(self.names)}
            lost = [name for name in names if name not in at]
            if lost:
                raise PatchError(
                    f"{self.file} lacks {len(lost):,} of the {len(names):,} features of the "
                    f"map {map_name} ({some_of(lost)}); give all of them."
                )
            if tuple(names) == self.names:
                return self
            picked = [at[name] for name in names]
            return replace(self, values=self.values[:, picked], names=tuple(names))
        if self.values.shape[1] != count:
            raise PatchError(
                f"{self.file} has {self.values.shape[1]:,} features a patch, but the map "
                f"{map_name} was made of {count:,}; give the same ones."
            )
        return self
