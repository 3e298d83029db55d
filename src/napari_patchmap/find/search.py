"""What a search is: what it looks in, what it finds, and how it is called and explained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.errors import FindError
from napari_patchmap.layout.neighbour_search import Metric
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.box_table import labels_of
from napari_patchmap.patches.watch import Watch
from napari_patchmap.settings import Config

#: Column of a list that says which patch a row is about; always the first.
INDEX = "index"

#: Column of a list of pairs that says which other patch a row is about.
BESIDE = "beside"

#: Columns of a list that say which patch of a second set a row is about, and its file.
THERE, OTHER = "index there", "other"

#: Fewer patches are looked through faster by eye, and have no density to speak of.
FEWEST = 20


@dataclass(frozen=True, eq=False)
class FindInput:
    """What there is to look in; row i of each is patch i.

    Parameters
    ----------
    embedding : ndarray of float32, shape (n, d)
        The map.
    features : ndarray of float32, shape (n, f), or None
    table : DataFrame, n rows
        Labels, places and all other columns, annotations among them.
    patches : PatchSet, optional
        The images, where they are to be had.
    metric : {"euclidean", "cosine"}
        Distance of the features that the map was made to keep.
    against : FindInput, optional
        A second set, with features of the same network, where a search looks across both.
    """

    embedding: np.ndarray
    features: np.ndarray | None
    table: pd.DataFrame
    patches: PatchSet | None = None
    metric: Metric = "euclidean"
    against: FindInput | None = None

    def __len__(self) -> int:
        return len(self.embedding)

    @property
    def labels(self) -> np.ndarray | None:
        """Label of each patch as text ("" where missing), (n,), or None without labels."""
        return labels_of(self.table)

    def usable_features(self) -> np.ndarray:
        """Return the features, (n, f), where something can be found by them.

        Raises
        ------
        FindError
            If there are none, no numbers or no differences among them, or too few patches.
        """
        if self.features is None or not self.features.shape[1]:
            raise FindError(
                "This map has no features, by which patches are compared; train it again."
            )
        if len(self) < FEWEST:
            raise FindError(
                f"{len(self):,} patches are too few to look through by their features; it "
                f"takes {FEWEST} at least."
            )
        if not np.isfinite(self.features).all():
            raise FindError("Some features are not numbers; train the map again.")
        if not (self.features != self.features[0]).any():
            raise FindError("All patches have the same features, so there is nothing to find.")
        return self.features


@dataclass(frozen=True, eq=False)
class Found:
    """What was found.

    Parameters
    ----------
    columns : dict of str to ndarray, shape (n,)
        A value a patch, by name, of one column at least: text (of type object, "" for none)
        or numbers (float32, NaN for none).
    listed : DataFrame
        What is worth looking at, the most important first. Its first column is ``index``, the
        patch; then what the search says of it: group, score, reason.
    report : dict
        Numbers as JSON has them.
    lines : tuple of str
        The answer in short sentences, the most important first.
    """

    columns: dict[str, np.ndarray]
    listed: pd.DataFrame
    report: dict[str, Any] = field(default_factory=dict)
    lines: tuple[str, ...] = ()

    def picked(self, rows: np.ndarray) -> Found:
        """Return what was found of some patches, in this order."""
        place = np.full(len(next(iter(self.columns.values()))), -1, np.intp)
        place[rows] = np.arange(len(rows))
        rows_of = [name for name in (INDEX, BESIDE) if name in self.listed]
        listed = self.listed.assign(
            **{name: place[self.listed[name].to_numpy(np.intp)] for name in rows_of}
        )
        columns = {name: values[rows] for name, values in self.columns.items()}
        there = listed[(listed[rows_of] >= 0).all(axis=1)].reset_index(drop=True)
        return replace(self, columns=columns, listed=there)


@dataclass(frozen=True)
class Search:
    """Something that can be looked for; command line and window are made from it.

    Parameters
    ----------
    key : str
        The word of the command line, and the name under which a run keeps the answer.
    title : str
        As a heading.
    question : str
        What is asked, in a short sentence.
    config : type of Config
        Its settings.
    find : callable
        Takes a :class:`FindInput`, the settings and a
        :class:`~napari_patchmap.patches.watch.Watch`, which it tells what is found so far;
        returns a :class:`Found`, or raises a FindError that says why nothing can be found.
    help : str
        How it is found and what that takes, in plain sentences, and where it is from.
    needs_images : bool
        It finds nothing without the pixels.
    across : bool
        It can look across two sets of patches.
    of_labels : bool
        It would find something else if other labels were known.
    """

    key: str
    title: str
    question: str
    config: type[Config]
    find: Callable[[FindInput, Any, Watch], Found]
    help: str
    needs_images: bool = False
    across: bool = False
    of_labels: bool = False


def found_column(name: str) -> str:
    """Name a found column as it stands among others, which may bear its name already."""
    return f"found: {name}"
