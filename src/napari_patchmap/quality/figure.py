"""What a quality figure is: how it is computed, called, written and explained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Precision = Literal["rough", "usual", "exact"]


@dataclass(frozen=True, eq=False)
class FigureInput:
    """What figures are computed from; row i of each array is patch i.

    Parameters
    ----------
    embedding : ndarray, shape (n, d)
        Finite.
    labels : ndarray of str, shape (n,), optional
        For a figure that needs labels: two different ones or more, each of two patches
        or more, none of them "".
    features : ndarray, shape (n, f), optional
        Outputs of the backbone, from which the map was made.
    """

    embedding: np.ndarray
    labels: np.ndarray | None = None
    features: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.embedding)

    def rows(self, keep: np.ndarray) -> FigureInput:
        """Return the same of some patches."""
        labels, features = self.labels, self.features
        return FigureInput(
            self.embedding[keep],
            None if labels is None else labels[keep],
            None if features is None else features[keep],
        )


@dataclass(frozen=True)
class Scale:
    """How numbers are written.

    Parameters
    ----------
    factor : float
        What a number is multiplied by.
    unit : str
        What is written after it.
    rough, usual, exact : int
        Decimals of a label's number in the window, of a map's there and in pictures, and
        in reports and tables.
    """

    factor: float
    unit: str
    rough: int
    usual: int
    exact: int


PERCENT = Scale(100.0, " %", rough=0, usual=1, exact=1)
DECIMAL = Scale(1.0, "", rough=2, usual=2, exact=3)


@dataclass(frozen=True)
class QualityFigure:
    """One number that says how good a map is.

    Parameters
    ----------
    key : str
        Its entry in ``metrics.json``, and its column in tables.
    name : str
        As within a sentence.
    compute : callable
        Takes a :class:`FigureInput`; returns what stands in ``metrics.json``, or None
        where it is not defined.
    value, count : str
        Where in that its number, and the patches it was computed on, are to be found.
    help, reference : str
        What it means, in plain sentences; where it is from.
    needs_labels, needs_features : bool
        It is computed only where they are known; of patches without a label, and of
        labels with a single patch, it sees nothing if it needs labels.
    undefined : str
        Sentence for where it is not defined; ``{n:,}`` are the patches that it was given.
    by_label : bool
        Whether ``compute`` also gives ``per_class``, see :func:`label_means`: for each label a
        dict with ``value`` and ``n``.
    scale : Scale
    basis : str
        What it was computed on, with ``{:,}`` for how many.
    higher_is_better : bool
    seconds : callable
        About how long it takes on one core for n patches.
    full, column, short : str, optional
        Name in reports, above columns, and where there is hardly room.
    """

    key: str
    name: str
    compute: Callable[[FigureInput], dict[str, Any] | None]
    value: str
    help: str
    reference: str
    count: str = "n"
    needs_labels: bool = False
    needs_features: bool = False
    undefined: str = ""
    by_label: bool = False
    scale: Scale = DECIMAL
    basis: str = "over {:,} patches"
    higher_is_better: bool = True
    seconds: Callable[[int], float] = lambda n: 0.0
    full: str = ""
    column: str = ""
    short: str = ""

    def __post_init__(self) -> None:
        for name, usual in (("full", "name"), ("column", "name"), ("short", "column")):
            if not getattr(self, name):
                object.__setattr__(self, name, getattr(self, usual))

    def of(self, metrics: dict[str, Any]) -> float:
        """Return its number in metrics; NaN if they do not have it."""
        return float((metrics.get(self.key) or {}).get(self.value, np.nan))

    def text(
        self, metrics: dict[str, Any], precision: Precision = "usual", missing: str = "–"
    ) -> str:
        """Write its number in metrics, with its unit."""
        number, scale = self.of(metrics), self.scale
        if np.isnan(number):
            return missing
        return f"{scale.factor * number:.{getattr(scale, precision)}f}{scale.unit}"

    def basis_of(self, metrics: dict[str, Any]) -> str:
        """Say what it was computed on."""
        return self.basis.format(metrics[self.key][self.count])


def label_means(values: np.ndarray, labels: np.ndarray, name: str) -> dict[str, dict[str, Any]]:
    """Return of each label the mean of its values, called ``name``, and their ``n``."""
    own = {str(label): values[labels == label] for label in np.unique(labels)}
    return {label: {name: float(v.mean()), "n": len(v)} for label, v in own.items()}


def capitalised(name: str) -> str:
    """Write a name as at the beginning of a line; "15-NN" stays as it is."""
    return name[:1].upper() + name[1:]
