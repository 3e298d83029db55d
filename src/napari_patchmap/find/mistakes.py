"""Label mistakes: patches whose features and neighbours say another label."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.errors import FindError
from napari_patchmap.find.search import INDEX, FindInput, Found, Search
from napari_patchmap.layout.neighbour_search import Metric, nearest
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.settings import Config, setting

#: Parts in which labels are held out, and how often they are drawn.
_FOLDS, _REPEATS = 5, 2

#: Fewer patches of a label than this say nothing about it.
_FEWEST = 5

#: Patches among which neighbours are looked for at once.
_AT_ONCE = 20_000

#: Above any logarithm of a probability that is worth telling from 0.
_FLOOR = 1e-6

#: Columns, and what the list says.
LIKELY, DOUBT = "likely label", "label doubt"


@dataclass(frozen=True)
class MistakesConfig(Config):
    """How label mistakes are looked for."""

    column: str = setting(
        "label", "Column whose values are checked: the label, an annotation, or another.",
        label="Labels in",
    )  # fmt: skip
    neighbours: int = setting(
        30, "Nearest patches among the features that are asked.", low=5, high=200, rare=True
    )
    seed: int = setting(
        0, "Number that fixes which labels are held out together.", low=0, rare=True
    )


@dataclass(frozen=True, eq=False)
class Doubt:
    """What features say of the label of each patch; K labels, n patches.

    Parameters
    ----------
    names : ndarray of str, shape (K,)
    own : ndarray of int, shape (n,)
        The label of each patch, as a place in ``names``.
    chances : ndarray of float64, shape (n, K)
        How probable each label is, by all other patches; rows add up to 1.
    agreeing : ndarray of int, shape (n, K)
        How many of its neighbours have each label.
    """

    names: np.ndarray
    own: np.ndarray
    chances: np.ndarray
    agreeing: np.ndarray

    @property
    def likely(self) -> np.ndarray:
        """The most probable label of each patch, (n,), as a place in ``names``."""
        found: np.ndarray = self.chances.argmax(axis=1)
        return found

    @property
    def against(self) -> np.ndarray:
        """How probable it is that the patch is of another label, (n,), 0 to 1."""
        found: np.ndarray = 1 - self.chances[np.arange(len(self.own)), self.own]
        return found


def doubts(
    features: np.ndarray,
    labels: np.ndarray,
    config: MistakesConfig,
    metric: Metric = "euclidean",
    watch: Watch = UNWATCHED,
) -> Doubt | None:
    """Say of each patch which label it should have, by the features of all others.

    Two witnesses are multiplied: linear discriminants with shrunk covariances, fitted to
    other patches than those that are judged (out-of-sample probabilities, as in confident
    learning: Northcutt, Jiang and Chuang, JAIR 2021), and the labels of the nearest
    patches with one vote more for each label (Laplace). Together they found more of planted
    mistakes than either (``benchmarks/label_mistakes.py``).

    Parameters
    ----------
    features : ndarray of float, shape (n, f)
    labels : ndarray of str, shape (n,)
        Two different ones at least, each of five patches or more.
    config : MistakesConfig
    metric : {"euclidean", "cosine"}
    watch : Watch

    Returns
    -------
    Doubt or None
        None if ``watch`` said to end.
    """
    names, own = np.unique(labels, return_inverse=True)
    parts = list(_parts(len(own), config.seed))
    total = _FOLDS * _REPEATS + len(parts)
    done = 0
    chances = np.zeros((len(own), len(names)))
    for known, held in _held_out(own, config.seed):
        if watch.ends(done, total):
            return None
        chances[held] += _discriminants(features, own, known, held, len(names)) / _REPEATS
        done += 1
    agreeing = np.zeros((len(own), len(names)), np.int64)
    asked = 0
    for part in parts:
        if watch.ends(done, total):
            return None
        near = nearest(features[part], config.neighbours, metric)[0]
        asked = near.shape[1]
        rows = np.repeat(part, asked)
        np.add.at(agreeing, (rows, own[part][near].reshape(-1)), 1)
        done += 1
    votes = (agreeing + 1) / (asked + len(names))
    chances = np.maximum(chances, _FLOOR) * votes
    return Doubt(names, own, chances / chances.sum(axis=1, keepdims=True), agreeing)


def _held_out(own: np.ndarray, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    from sklearn.model_selection import StratifiedKFold

    for repeat in range(_REPEATS):
        yield from StratifiedKFold(_FOLDS, shuffle=True, random_state=seed + repeat).split(
            own, own
        )


def _discriminants(
    features: np.ndarray, own: np.ndarray, known: np.ndarray, held: np.ndarray, count: int
) -> np.ndarray:
    """Return probabilities of held-out patches, (m, count)."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.preprocessing import StandardScaler

    scale = StandardScaler().fit(features[known])
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    model.fit(scale.transform(features[known]), own[known])
    found: np.ndarray = model.predict_proba(scale.transform(features[held]))
    return found


def _parts(count: int, seed: int) -> Iterator[np.ndarray]:
    """Draw the patches into parts of about one size, of which neighbours are looked for."""
    order = np.random.default_rng(seed).permutation(count)
    yield from np.array_split(order, -(-count // _AT_ONCE))


def find_mistakes(given: FindInput, config: MistakesConfig, watch: Watch) -> Found:
    """List the patches that another label fits better, the surest first.

    Raises
    ------
    FindError
        If there are no features, or no two labels of five patches each.
    """
    features = given.usable_features()
    values = _values(given, config.column)
    names, counts = np.unique(values[values != ""], return_counts=True)
    enough = names[counts >= _FEWEST]
    if len(enough) < 2:
        raise FindError(
            f"{config.column} has no two values of {_FEWEST} patches or more each, so there is "
            "nothing that a value could be mistaken for."
        )
    if len(enough) > len(values) / _FEWEST:
        raise FindError(f"{config.column} has hardly two patches of one value; choose another.")
    rows = np.flatnonzero(np.isin(values, enough))
    doubt = doubts(features[rows], values[rows].astype(str), config, given.metric, watch)
    columns = {
        LIKELY: np.full(len(values), "", object),
        DOUBT: np.full(len(values), np.nan, np.float32),
    }
    if doubt is None:
        return Found(
            columns, _listed([], [], [], [], []), {}, ("Stopped before anything was known.",)
        )
    columns[LIKELY][rows] = doubt.names[doubt.likely].astype(object)
    columns[DOUBT][rows] = doubt.against
    suspects = np.flatnonzero(doubt.likely != doubt.own)
    order = suspects[np.argsort(-doubt.against[suspects], kind="stable")]
    asked = int(doubt.agreeing[0].sum())
    with_likely = doubt.agreeing[order, doubt.likely[order]]
    with_own = doubt.agreeing[order, doubt.own[order]]
    listed = _listed(
        rows[order],
        doubt.names[doubt.own[order]],
        doubt.names[doubt.likely[order]],
        doubt.against[order],
        [
            f"{a} of {asked} neighbours are {name}, {b} are as it says"
            for a, b, name in zip(
                with_likely, with_own, doubt.names[doubt.likely[order]], strict=True
            )
        ],
    )
    sure = int((doubt.against[order] > 0.95).sum())
    report = {
        "n": len(rows), "suspects": len(order), "sure": sure, "neighbours": asked,
        "too_few": sorted(map(str, set(names) - set(enough))),
    }  # fmt: skip
    return Found(columns, listed, report, _lines(report, config.column))


def _values(given: FindInput, column: str) -> np.ndarray:
    """Return the values of a column as text, (n,), "" where missing."""
    if column == "label" and given.labels is not None:
        return given.labels
    if column not in given.table:
        known = ", ".join(str(name) for name in given.table.columns)
        raise FindError(
            f"There is no column {column} whose values could be wrong; there are {known}."
        )
    values = given.table[column]
    return values.astype(object).where(values.notna(), "").astype(str).to_numpy(object)


def _listed(rows: Any, labels: Any, likely: Any, scores: Any, reasons: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {
            INDEX: np.asarray(rows, np.intp),
            "label": np.asarray(labels, object),
            "likely": np.asarray(likely, object),
            "score": np.asarray(scores, np.float32),
            "reason": np.asarray(reasons, object),
        }
    )


def _lines(report: dict[str, Any], column: str) -> tuple[str, ...]:
    n, suspects, sure = report["n"], report["suspects"], report["sure"]
    first = f"Of {n:,} patches, {suspects:,} look like another {column} than they have"
    lines = [f"{first}, {sure:,} of them with a probability above 95 %."]
    if suspects:
        lines.append("Look at them in this order; the map may be wrong, too.")
    if report["too_few"]:
        few = ", ".join(report["too_few"][:5])
        lines.append(f"Not checked, for they have too few patches: {few}.")
    return tuple(lines)


MISTAKES = Search(
    key="mistakes",
    title="Label mistakes",
    question="Which labels are probably wrong?",
    config=MistakesConfig,
    find=find_mistakes,
    of_labels=True,
    help="Each patch is judged by the features of all others: by linear discriminants that "
    "were fitted without it, and by the labels of its nearest neighbours. Listed are those "
    "that another label fits better. As in confident learning (Northcutt et al. 2021).",
)
