"""Features of several batches, brought to the same middle and the same scale."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from napari_patchmap.errors import BatchError
from napari_patchmap.explore.components import ROUNDING, components, means_and_scales
from napari_patchmap.explore.feature_rows import check_features, in_parts
from napari_patchmap.few_names import some_of
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.settings import Config, setting
from napari_patchmap.writing import whole_file

#: Its numbers, in a run's folder.
EVENING = "evening.npz"

#: A batch of fewer patches has neither a middle nor a scale of its own: the error of a mean of
#: 15 is a quarter of their spread, and that of a few is what these few show, not their batch.
FEWEST = 15

_ARRAYS = ("mean", "axes", "scale", "means", "scales")


@dataclass(frozen=True)
class EveningConfig(Config):
    """How features are evened out."""

    variance: float = setting(
        0.99,
        "share of the features' variance whose principal components are kept; 1 keeps all, as "
        "published, and the least of them then count as much as the first",
        low=0.5,
        high=1.0,
    )


@dataclass(frozen=True, eq=False)
class Evening:
    """The published PCA-CenterScale: principal components, standardised in each batch.

    Components of the features of all patches; of each of them, in each batch, the mean is taken
    away and the standard deviation (that of ``n``) divided by, as the Efaar benchmarks (Celik
    et al. 2024) and the OpenPhenom card do it, with all patches of a batch as its controls:
    right where batches hold about the same mix, for what differs in their mix is taken as well.
    Patches whose batch is not known, or too small to tell a scale, are standardised by all
    patches together.

    Parameters
    ----------
    column : str
        What the batches are.
    variance : float
        See :class:`EveningConfig`.
    mean : ndarray of float64, shape (d,)
        Of the features.
    axes : ndarray of float64, shape (k, d)
        Principal components, the largest first.
    scale : ndarray of float64, shape (k,)
        Deviations of all patches along them.
    names : tuple of str
        Batches with a middle and a scale of their own, b of them.
    means, scales : ndarray of float64, shape (b, k)
    sizes : dict
        Patches of each batch.
    unknown : int
        Patches without a batch.
    of : str
        The run whose features they were.
    """

    column: str
    variance: float
    mean: np.ndarray
    axes: np.ndarray
    scale: np.ndarray
    names: tuple[str, ...]
    means: np.ndarray
    scales: np.ndarray
    sizes: dict[str, int]
    unknown: int = 0
    of: str = ""

    @classmethod
    def fit(
        cls,
        features: np.ndarray,
        batches: np.ndarray,
        column: str,
        config: EveningConfig | None = None,
        watch: Watch = UNWATCHED,
    ) -> Self:
        """Find components and scales, in parts: of the features nothing is copied.

        Parameters
        ----------
        features : ndarray of float, shape (n, d)
        batches : ndarray of str, shape (n,)
            "" where the batch is not known.
        column : str
        config : EveningConfig, optional
        watch : Watch, optional

        Raises
        ------
        BatchError
            If there are not two batches of 15 patches, or the features of all are alike.
        SuggestionError
            If a feature is not a finite number, or there are none.
        LoadCancelled
            If ``watch`` says so.
        """
        check_features(features)
        config = config or EveningConfig()
        names, counts = np.unique(batches[batches != ""], return_counts=True)
        large = [str(name) for name in names[counts >= FEWEST]]
        if len(large) < 2:
            raise BatchError(
                f"{column} has {len(large)} value(s) of {FEWEST} patches or more; two are "
                "needed for something to be evened out between them."
            )
        mean, axes, scale = components(features, config.variance, watch)
        means, scales = means_and_scales(features, mean, axes, np.array(large), batches, watch)
        flat = scales <= ROUNDING * scale
        scales[flat] = np.broadcast_to(scale, scales.shape)[flat]
        sizes = {str(name): int(n) for name, n in zip(names, counts, strict=True)}
        unknown = len(batches) - int(counts.sum())
        return cls(
            column,
            config.variance,
            mean,
            axes,
            scale,
            tuple(large),
            means,
            scales,
            sizes,
            unknown,
        )

    def apply(
        self, features: np.ndarray, batches: np.ndarray, watch: Watch = UNWATCHED
    ) -> np.ndarray:
        """Even out features (n, d), whose batches are (n,); returns float32 (n, k).

        A batch that is none of :attr:`names` is standardised by all patches.
        """
        names = np.array(self.names)
        place = np.searchsorted(names, batches).clip(max=len(names) - 1)
        place[names[place] != batches] = len(names)
        means = np.vstack([self.means, np.zeros_like(self.scale)])
        scales = np.vstack([self.scales, self.scale])
        found = np.empty((len(features), len(self.axes)), np.float32)
        for rows, part in in_parts(features, watch):
            turned = (part - self.mean) @ self.axes.T
            found[rows] = (turned - means[place[rows]]) / scales[place[rows]]
        return found

    def of_new(self, features: np.ndarray, table: pd.DataFrame) -> tuple[np.ndarray, str]:
        """Even out the features of new patches by the batches of their table, if it has them.

        Returns
        -------
        features : ndarray of float32, shape (m, k)
        sentence : str
            How many were standardised by all patches, for their batch is none of the map's;
            "" if none was.
        """
        batches = np.full(len(features), "", object)
        if self.column in table:
            values = table[self.column]
            batches = np.where(values.isna(), "", values.astype(str))
        lost = int((~np.isin(batches.astype(str), self.names)).sum())
        found = self.apply(features, batches.astype(str))
        if not lost:
            return found, ""
        return found, (
            f"This map was evened out by {self.column}, which is not known of {lost:,} of "
            f"{len(features):,} new patches, or is none of the map's: they were centred and "
            "scaled by all patches of the map, so that what is special about their own batch "
            "still shows in their places."
        )

    @property
    def small(self) -> dict[str, int]:
        """Patches of the batches that are too small."""
        return {name: n for name, n in self.sizes.items() if name not in self.names}

    def lines(self) -> list[str]:
        """Say what was done, and to which patches not, in short lines."""
        share = "all" if self.variance == 1 else f"{100 * self.variance:g} %"
        sizes = sorted(self.sizes[name] for name in self.names)
        done = (
            f"Evened out by {self.column}: {len(self.names)} batches of {sizes[0]:,} to "
            f"{sizes[-1]:,} patches, centred and scaled along {len(self.axes)} principal "
            f"components of {len(self.mean)} features ({share} of their variance)"
        )
        alone = [f"{self.unknown:,} patches without {self.column}"] if self.unknown else []
        if self.small:
            alone.append(
                f"{sum(self.small.values()):,} of batches that are too small to tell a scale "
                f"(fewer than {FEWEST} patches: {some_of(list(self.small))})"
            )
        rest = [f"Centred and scaled by all patches: {' and '.join(alone)}"] if alone else []
        return [done, *rest]

    def to_dict(self) -> dict[str, Any]:
        """Return what was done as plain values, for ``config.json``."""
        return {
            "column": self.column,
            "batches": self.sizes,
            "too_small": sorted(self.small),
            "unknown": self.unknown,
            "components": len(self.axes),
            "features": len(self.mean),
            "variance": self.variance,
            "of": self.of,
        }

    def save(self, path: Path) -> None:
        """Write the numbers by which new features are evened out."""
        with whole_file(path) as file:
            np.savez(file, names=np.array(self.names), **{n: getattr(self, n) for n in _ARRAYS})

    @classmethod
    def load(cls, path: Path, saved: dict[str, Any]) -> Self:
        """Read what :meth:`save` and :meth:`to_dict` wrote."""
        with np.load(path, allow_pickle=False) as file:
            names = tuple(str(name) for name in file["names"])
            arrays = {name: file[name] for name in _ARRAYS}
        return cls(
            column=str(saved["column"]),
            variance=float(saved["variance"]),
            names=names,
            sizes={str(name): int(n) for name, n in saved["batches"].items()},
            unknown=int(saved["unknown"]),
            of=str(saved["of"]),
            **arrays,
        )

    def made_of(self, run: str) -> Self:
        """Return the same, with the run whose features they were."""
        return dataclasses.replace(self, of=run)
