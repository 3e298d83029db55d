"""Does each patch lie among its like? The labels of the nearest on the map, patch by patch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.quality.figure import (
    PERCENT,
    FigureInput,
    QualityFigure,
    mean_entry,
)

#: Neighbours that vote, the patch itself not among them.
VOTERS = 15

#: More labels than this are no matrix that anybody reads.
MOST_LABELS = 25

#: Votes that are counted at once.
_PART = 50_000


@dataclass(frozen=True, eq=False)
class Votes:
    """What the neighbours of each patch on a map say it is.

    Parameters
    ----------
    names : ndarray of str, shape (c,)
        The labels, sorted.
    own, voted : ndarray of int, shape (n,)
        Label of each patch, and that of most of its neighbours (the first of several), as
        places in ``names``.
    same : ndarray of float64, shape (n,)
        Share of its neighbours that have its label.
    """

    names: np.ndarray
    own: np.ndarray
    voted: np.ndarray
    same: np.ndarray

    @property
    def confusion(self) -> np.ndarray:
        """How many patches of a label (row) are what (column) to their neighbours, (c, c)."""
        count = len(self.names)
        pairs = self.own * count + self.voted
        return np.bincount(pairs, minlength=count**2).reshape(count, count)


def votes(embedding: np.ndarray, labels: np.ndarray, watch: Watch = UNWATCHED) -> Votes:
    """Let the nearest 15 others of each patch vote on its label.

    Parameters
    ----------
    embedding : ndarray, shape (n, d)
        Finite; of more than 15 patches.
    labels : ndarray of str, shape (n,)
    watch : Watch, optional
    """
    names, own = np.unique(labels, return_inverse=True)
    points = np.asarray(embedding, np.float64)
    tree = cKDTree(points)
    voted, same = np.empty(len(points), np.intp), np.empty(len(points))
    for start in range(0, len(points), _PART):
        watch.check()
        rows = np.arange(start, min(start + _PART, len(points)))
        found = tree.query(points[rows], VOTERS + 1)[1]
        others = found != rows[:, None]
        others[others.all(axis=1), -1] = False  # of many in one place it need not be there
        near = own[found[others].reshape(len(rows), VOTERS)]
        same[rows] = (near == own[rows, None]).mean(axis=1)
        voted[rows] = most_frequent(near)
    return Votes(names, own, voted, same)


def most_frequent(codes: np.ndarray) -> np.ndarray:
    """Return the most frequent code of each row (n, k), the lowest of several, (n,)."""
    ordered = np.sort(codes, axis=1)
    counts = (ordered[:, :, None] == ordered[:, None, :]).sum(axis=2)
    found: np.ndarray = ordered[np.arange(len(codes)), counts.argmax(axis=1)]
    return found


def _votes(given: FigureInput) -> Votes:
    assert given.labels is not None
    return votes(given.embedding, given.labels)


def _purity(given: FigureInput) -> dict[str, Any] | None:
    if len(given) <= VOTERS:
        return None
    return mean_entry(given.once(_votes).same)


PURITY = QualityFigure(
    key="purity",
    name="label purity",
    column="purity",
    compute=_purity,
    each=lambda given: given.once(_votes).same,
    value="mean",
    scale=PERCENT,
    headline=False,
    needs_labels=True,
    undefined=f"{{n:,}} labelled patches are too few for the labels of {VOTERS} neighbours.",
    help=f"Of the {VOTERS} nearest patches on the map, how many have the patch's own label, on "
    "average. Unlike the accuracy it shows how mixed the surroundings of a patch are, also "
    "where most of them agree.",
    reference="neighbourhood purity, as neighbourhood hit of Paulovich et al. 2008",
)
