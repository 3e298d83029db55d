"""What duplicates are looked for by: pixels, places and features of one set, or of two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from napari_patchmap.find.alignment import Alignment, align
from napari_patchmap.find.search import FindInput
from napari_patchmap.find.small_pictures import SmallPictures, small_pictures
from napari_patchmap.find.spectra import spectra_of
from napari_patchmap.layout.neighbour_search import Metric
from napari_patchmap.patches.content import content_of
from napari_patchmap.patches.watch import UNWATCHED, Watch

_BOX = ("source", "frame", "y", "x", "height", "width")


@dataclass(frozen=True, eq=False)
class Described:
    """Patches as they are compared; row i of each is patch i.

    Parameters
    ----------
    content : ndarray of uint64, shape (n,)
        A number for the pixels, 0 where they could not be read.
    pictures : SmallPictures
    spectra : ndarray of complex64, shape (n, rings, harmonics)
    flat : ndarray of bool, shape (n,)
        Whether a patch holds nothing that could be compared.
    table : DataFrame
        Where patches lie in their sources.
    features : ndarray of float32, shape (n, f), or None
    metric : {"euclidean", "cosine"}
    set : ndarray of int8, shape (n,)
        Of which set each is; of two sets, duplicates are in one and the other.
    """

    content: np.ndarray
    pictures: SmallPictures
    spectra: np.ndarray
    flat: np.ndarray
    table: pd.DataFrame
    features: np.ndarray | None
    metric: Metric
    set: np.ndarray

    def __len__(self) -> int:
        return len(self.content)

    @property
    def across(self) -> bool:
        """Whether these are two sets."""
        return bool(self.set.any())

    def aligned(self, first: np.ndarray, second: np.ndarray) -> Alignment:
        """Lay the second patch of each pair on the first."""
        grey, spectra = self.pictures.grey, self.spectra
        return align(grey[first], grey[second], spectra[first], spectra[second])

    def allowed(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return which pairs may be duplicates: none that share pixels, or one of two sets."""
        if self.across:
            return np.asarray(self.set[first] != self.set[second])
        return ~self.overlapping(first, second)

    def overlapping(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return which pairs are cut out of one image so that they share a part of it, (m,).

        The very same place is no neighbour but twice the same.
        """
        a, b = (self._boxes[rows] for rows in (first, second))
        same = (a[:, :2] == b[:, :2]).all(axis=1) & (self.set[first] == self.set[second])
        apart = (a[:, 2:4] >= b[:, 2:4] + b[:, 4:]) | (b[:, 2:4] >= a[:, 2:4] + a[:, 4:])
        return np.asarray(same & ~apart.any(axis=1) & (a != b).any(axis=1))

    @property
    def _boxes(self) -> np.ndarray:
        """Source, frame and box of each patch as numbers, (n, 6)."""
        return np.asarray(self.table[list(_BOX)].to_numpy(np.int64))

    @classmethod
    def of(
        cls,
        given: FindInput,
        side: int | None = None,
        watch: Watch = UNWATCHED,
    ) -> Described | None:
        """Read and describe the patches of a set whose images are to be had.

        None if ``watch``, which is told how many of how many are read, ended it.
        """
        patches = given.patches
        assert patches is not None
        pictures = small_pictures(patches, side, watch)
        if watch.stops:
            return None
        content = np.zeros(len(patches), np.uint64)
        rows = np.flatnonzero(pictures.there)
        content[rows] = content_of(patches.images, rows)
        places = given.table[list(_BOX)].reset_index(drop=True)
        return cls(
            content, pictures, spectra_of(pictures.grey), pictures.flat(),
            places.assign(source=pd.factorize(places["source"])[0]),
            given.features, given.metric, np.zeros(len(patches), np.int8),
        )  # fmt: skip

    def beside(self, other: Described) -> Described:
        """Return the patches of two sets, those of the other after these."""
        mine, theirs = self.pictures, other.pictures
        pictures = SmallPictures(
            np.concatenate([mine.grey, theirs.grey]),
            np.concatenate([mine.there, theirs.there]),
            mine.scale,
        )
        both = self.features is not None and other.features is not None
        return Described(
            np.concatenate([self.content, other.content]),
            pictures,
            np.concatenate([self.spectra, other.spectra]),
            np.concatenate([self.flat, other.flat]),
            pd.concat([self.table, other.table], ignore_index=True),
            np.concatenate([self.features, other.features]) if both else None,
            self.metric,
            np.repeat(np.array([0, 1], np.int8), [len(self), len(other)]),
        )
