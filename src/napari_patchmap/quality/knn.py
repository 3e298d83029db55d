"""Nearest-neighbour accuracy: do neighbours on the map, or of features, share a label?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.metrics import balanced_accuracy_score, f1_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

from napari_patchmap.quality.figure import (
    PERCENT,
    FigureInput,
    QualityFigure,
    label_means,
    share_entry,
)
from napari_patchmap.quality.predicted import Predicted, mean_f1, mean_recall

#: Neighbours that vote (Nwabufo et al., section 4).
NEIGHBOURS = 15

#: Share of the patches whose label is predicted from the others.
TEST_SHARE = 0.1

#: Held-out patches at most whose neighbours are looked for among features.
_MOST = 5_000

_Compute = Callable[[FigureInput], dict[str, Any] | None]


def _split(given: FigureInput) -> tuple[np.ndarray, np.ndarray] | None:
    """Return patches to learn from and to be tested, None where they are too few."""
    assert given.labels is not None
    classes = np.unique(given.labels)
    n_test = int(np.ceil(TEST_SHARE * len(given)))
    if n_test < len(classes) or len(given) - n_test < max(NEIGHBOURS, len(classes)):
        return None
    train, test = train_test_split(
        np.arange(len(given)), test_size=TEST_SHARE, random_state=0, stratify=given.labels
    )
    return train, test


def _on_the_map(given: FigureInput) -> Predicted | None:
    """Tell held-out patches by their neighbours on the map."""
    return _predicted(given, given.embedding, KNeighborsClassifier(NEIGHBOURS))


def _in_features(given: FigureInput) -> Predicted | None:
    """Tell 5,000 held-out patches at most by their neighbours among the features."""
    assert given.features is not None
    near = KNeighborsClassifier(NEIGHBOURS, metric=given.metric, algorithm="brute")
    return _predicted(given, given.features, near, _MOST)


def _predicted(
    given: FigureInput, points: np.ndarray, near: KNeighborsClassifier, most: int | None = None
) -> Predicted | None:
    parts = given.once(_split)
    if parts is None:
        return None
    assert given.labels is not None
    train, test = parts[0], parts[1][:most]
    near.fit(points[train], given.labels[train])
    return Predicted(given.labels[test], near.predict(points[test]))


_Entry = Callable[[Predicted], dict[str, Any]]


def _of(find: Callable[[FigureInput], Predicted | None], entry: _Entry) -> _Compute:
    """Return what computes an entry of what is found, None where nothing is."""

    def compute(given: FigureInput) -> dict[str, Any] | None:
        found = given.once(find)
        return None if found is None else entry(found)

    return compute


def _accuracy(found: Predicted) -> dict[str, Any]:
    return {**share_entry(found.right, "accuracy", "test_n"), "k": NEIGHBOURS}


def _by_label(found: Predicted) -> dict[str, Any]:
    return _accuracy(found) | {"per_class": label_means(found.right, found.labels, "accuracy")}


def _balanced(found: Predicted) -> dict[str, Any]:
    value = balanced_accuracy_score(found.labels, found.predicted)
    return {"accuracy": float(value), "test_n": len(found), **found.interval(mean_recall)}


def _macro_f1(found: Predicted) -> dict[str, Any]:
    value = f1_score(found.labels, found.predicted, average="macro", zero_division=0.0)
    return {"f1": float(value), "test_n": len(found), **found.interval(mean_f1)}


#: Accuracy of a k-nearest-neighbour classifier on the map, as Nwabufo et al. (2024) score
#: their maps: a tenth of the patches, stratified by label, is predicted from the labels of its
#: nearest neighbours among the rest (uniform votes, Euclidean distance, fixed split). None
#: where a label would have no test patch, or a test patch fewer neighbours.
knn_accuracy = _of(_on_the_map, _by_label)

_TOO_FEW = f"{{n:,}} labelled patches are too few for {NEIGHBOURS}-nearest-neighbour accuracy."

KNN = QualityFigure(
    key="knn",
    name=f"{NEIGHBOURS}-NN accuracy",
    full=f"{NEIGHBOURS}-NN accuracy in 2-D",
    column=f"{NEIGHBOURS}-NN",
    compute=knn_accuracy,
    in_features=_of(_in_features, _accuracy),
    value="accuracy",
    count="test_n",
    scale=PERCENT,
    basis="on {:,} held-out patches",
    needs_labels=True,
    by_label=True,
    undefined=_TOO_FEW,
    help="A tenth of the patches, drawn so that every label keeps its share, is hidden; each "
    f"of them is given the label that most of its {NEIGHBOURS} nearest neighbours on the map "
    "have, and we count how often that is right. 100 % means that neighbours on the map "
    "always share their label; guessing the most frequent label gives its share.",
    reference="as in Nwabufo et al. 2024",
)

KNN_OF_FEATURES = QualityFigure(
    key="knn_of_features",
    name=f"{NEIGHBOURS}-NN accuracy of features",
    column=f"{NEIGHBOURS}-NN feat.",
    compute=_of(_in_features, _accuracy),
    value="accuracy",
    count="test_n",
    scale=PERCENT,
    basis="on {:,} held-out patches",
    headline=False,
    of_map=False,
    needs_labels=True,
    needs_features=True,
    undefined=_TOO_FEW,
    help="The same with the nearest neighbours among the features from which the map was made. "
    "Where it is much higher than that of the map, the network tells the labels apart and two "
    "dimensions cannot show it; where both are low, the network does not.",
    reference="as in Böhm et al. 2023",
)

BALANCED = QualityFigure(
    key="knn_balanced",
    name=f"{NEIGHBOURS}-NN balanced accuracy",
    column=f"{NEIGHBOURS}-NN bal.",
    compute=_of(_on_the_map, _balanced),
    in_features=_of(_in_features, _balanced),
    value="accuracy",
    count="test_n",
    scale=PERCENT,
    basis="on {:,} held-out patches",
    headline=False,
    needs_labels=True,
    undefined=_TOO_FEW,
    help="The accuracy on the map with the same weight for each label, however rare: the mean "
    "of the labels' own accuracies. Much lower than the accuracy means that rare labels are "
    "lost among frequent ones.",
    reference="mean recall of the labels",
)

MACRO_F1 = QualityFigure(
    key="knn_macro_f1",
    name=f"{NEIGHBOURS}-NN macro F1",
    column=f"{NEIGHBOURS}-NN F1",
    compute=_of(_on_the_map, _macro_f1),
    in_features=_of(_in_features, _macro_f1),
    value="f1",
    count="test_n",
    basis="on {:,} held-out patches",
    headline=False,
    needs_labels=True,
    undefined=_TOO_FEW,
    help="The mean over the labels of the harmonic mean of two shares: how many patches of a "
    "label are found, and how many of those that are given a label have it.",
    reference="F1, unweighted mean",
)
