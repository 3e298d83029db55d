"""What a quality figure is: how it is computed, called, written and explained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

import numpy as np

from napari_patchmap.errors import QualityError
from napari_patchmap.layout.neighbour_search import Metric
from napari_patchmap.patches.watch import UNWATCHED, Watch

T = TypeVar("T")

Precision = Literal["rough", "usual", "exact"]

#: Figures of neighbours are exact up to so many patches; of more, this many are looked at.
EXACT = 100_000

#: Of so many at most when a map was just made.
AT_FIRST = 20_000

#: Half of a 95 % interval, in standard errors.
_SURE = 1.96


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
    metric : {"euclidean", "cosine"}
        Distance of the features that the map was made to keep.
    most : int
        Patches whose neighbours are looked for; of more, so many drawn at random.
    watch : Watch
        Told how far long work is; a figure that it ends raises a LoadCancelled.
    """

    embedding: np.ndarray
    labels: np.ndarray | None = None
    features: np.ndarray | None = None
    metric: Metric = "euclidean"
    most: int = EXACT
    watch: Watch = UNWATCHED
    _known: dict[Callable[..., Any], Any] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.embedding)

    def rows(self, keep: np.ndarray) -> FigureInput:
        """Return the same of some patches."""
        labels, features = self.labels, self.features
        return replace(
            self,
            embedding=self.embedding[keep],
            labels=None if labels is None else labels[keep],
            features=None if features is None else features[keep],
        )

    def once(self, find: Callable[[FigureInput], T]) -> T:
        """Return what is found of the input, found once for all figures that ask."""
        if find not in self._known:
            self._known[find] = find(self)
        found: T = self._known[find]
        return found


def refuse_useless(features: np.ndarray) -> None:
    """Raise a QualityError if features are not numbers, or those of all patches alike."""
    if not np.isfinite(features).all():
        raise QualityError("some features are not numbers")
    if not (features != features[0]).any():
        raise QualityError("all patches have the same features")


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


#: What figures answer, in the order in which a person asks.
NEIGHBOURS = "Are neighbours on the map real neighbours?"
LABELS = "Do known labels agree with the map?"
QUESTIONS = (NEIGHBOURS, LABELS)

PERCENT = Scale(100.0, " %", rough=0, usual=1, exact=1)
DECIMAL = Scale(1.0, "", rough=2, usual=2, exact=3)

#: For what lies near 1 on all maps.
FINE = Scale(1.0, "", rough=3, usual=3, exact=3)


def percent_cell(share: float) -> str:
    """Write a share in a cell: a whole number, a dot for little, nothing for none."""
    return f"{100 * share:.0f}" if share >= 0.005 else "·" if share else ""


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
    each : callable, optional
        Takes the same input, returns its number for each patch, (n,), NaN where that was
        not looked at; for a figure that is the mean of those.
    of_map : bool
        Whether another map of the same features would have another.
    in_features : callable, optional
        Takes the same input, returns the same entry for the features in the place of the map.
    scale : Scale
    basis : str
        What it was computed on, with ``{:,}`` for how many.
    question : str
        Which of ``QUESTIONS`` it helps to answer.
    headline : bool
        Whether it stands beside a map's name, where there is room for a few.
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
    each: Callable[[FigureInput], np.ndarray] | None = None
    of_map: bool = True
    in_features: Callable[[FigureInput], dict[str, Any] | None] | None = None
    scale: Scale = DECIMAL
    basis: str = "over {:,} patches"
    question: str = LABELS
    headline: bool = True
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
        """Say what it was computed on, and between what it lies, to 95 %, if that is known."""
        entry = metrics[self.key]
        said, whole = self.basis.format(entry[self.count]), entry.get("of", 0)
        if whole > entry[self.count]:
            said = f"an estimate {said} of {whole:,}"
        interval = self.interval(metrics)
        return f"{said}; 95\N{NO-BREAK SPACE}%: {interval}" if interval else said

    def interval(self, metrics: dict[str, Any]) -> str:
        """Write the ends of its 95 % confidence interval, "" if it has none."""
        low, high = ((metrics.get(self.key) or {}).get(end) for end in ("low", "high"))
        if low is None or high is None:
            return ""
        factor, decimals = self.scale.factor, self.scale.exact
        return f"{factor * low:.{decimals}f} to {factor * high:.{decimals}f}{self.scale.unit}"


def label_means(values: np.ndarray, labels: np.ndarray, name: str) -> dict[str, dict[str, Any]]:
    """Return of each label the mean of its values, called ``name``, and their ``n``."""
    own = {str(label): values[labels == label] for label in np.unique(labels)}
    return {label: {name: float(v.mean()), "n": len(v)} for label, v in own.items()}


def mean_entry(values: np.ndarray, of: int | None = None) -> dict[str, Any]:
    """Return the ``mean`` of patches' values with ``n`` and its 95 % interval.

    ``low`` and ``high`` take the patches as a sample of many more like them. Where they are
    only some of those on the map, ``of`` says how many there are.
    """
    mean, count = float(values.mean()), len(values)
    entry: dict[str, Any] = {"mean": mean, "n": count}
    if count > 1:
        error = _SURE * float(values.std(ddof=1)) / np.sqrt(count)
        entry |= {"low": mean - error, "high": mean + error}
    return entry | ({"of": of} if of is not None and of > count else {})


def share_entry(right: np.ndarray, name: str, count: str) -> dict[str, Any]:
    """Return the share that is right, called ``name``, its count and Wilson's 95 % interval."""
    n, share, z = len(right), float(right.mean()), _SURE
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return {name: share, count: n, "low": float(middle - half), "high": float(middle + half)}


def capitalised(name: str) -> str:
    """Write a name as at the beginning of a line; "15-NN" stays as it is."""
    return name[:1].upper() + name[1:]
