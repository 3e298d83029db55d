"""Nearest-neighbour accuracy: do neighbours on the map, or of features, share a label?"""

from __future__ import annotations

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

#: Neighbours that vote (Nwabufo et al., section 4).
NEIGHBOURS = 15

#: Share of the patches whose label is predicted from the others.
TEST_SHARE = 0.1

#: Held-out patches at most whose neighbours are looked for among features.
_MOST = 5_000


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


def _on_the_map(given: FigureInput) -> tuple[np.ndarray, np.ndarray] | None:
    """Return labels of held-out patches, and those that neighbours on the map give them."""
    parts = given.once(_split)
    if parts is None:
        return None
    assert given.labels is not None
    train, test = parts
    classifier = KNeighborsClassifier(NEIGHBOURS)
    classifier.fit(given.embedding[train], given.labels[train])
    return given.labels[test], classifier.predict(given.embedding[test])


def knn_accuracy(given: FigureInput) -> dict[str, Any] | None:
    """Accuracy of a k-nearest-neighbour classifier on the map.

    A tenth of the patches, stratified by label, is predicted from the labels of
    its nearest neighbours among the rest (uniform votes, Euclidean distance,
    fixed split), as Nwabufo et al. score their maps. Labels serve for scoring
    only; the map itself was made from all patches.

    Returns
    -------
    dict or None
        ``accuracy`` (0 to 1), ``low`` and ``high`` (its 95 % interval), ``k``, ``test_n``
        and ``per_class`` (label -> ``accuracy`` among its test patches and ``n``, how many
        those are).
        None when the set is too small to give each label a test patch and
        every test patch ``k`` neighbours.
    """
    found = given.once(_on_the_map)
    if found is None:
        return None
    labels, predicted = found
    right = predicted == labels
    return {
        **share_entry(right, "accuracy", "test_n"),
        "k": NEIGHBOURS,
        "per_class": label_means(right, labels, "accuracy"),
    }


def knn_of_features(given: FigureInput) -> dict[str, Any] | None:
    """Accuracy of the same classifier for the features from which the map was made.

    Of more than 5,000 held-out patches as many are predicted. Distances as
    ``given.metric``.

    Returns
    -------
    dict or None
        As :func:`knn_accuracy`, without ``per_class``.
    """
    parts, features = given.once(_split), given.features
    if parts is None:
        return None
    assert given.labels is not None
    assert features is not None
    train, test = parts[0], parts[1][:_MOST]
    classifier = KNeighborsClassifier(NEIGHBOURS, metric=given.metric, algorithm="brute")
    classifier.fit(features[train], given.labels[train])
    right = classifier.predict(features[test]) == given.labels[test]
    return {**share_entry(right, "accuracy", "test_n"), "k": NEIGHBOURS}


def _balanced(given: FigureInput) -> dict[str, Any] | None:
    found = given.once(_on_the_map)
    if found is None:
        return None
    return {"accuracy": float(balanced_accuracy_score(*found)), "test_n": len(found[0])}


def _macro_f1(given: FigureInput) -> dict[str, Any] | None:
    found = given.once(_on_the_map)
    if found is None:
        return None
    value = f1_score(*found, average="macro", zero_division=0.0)
    return {"f1": float(value), "test_n": len(found[0])}


_TOO_FEW = f"{{n:,}} labelled patches are too few for {NEIGHBOURS}-nearest-neighbour accuracy."

KNN = QualityFigure(
    key="knn",
    name=f"{NEIGHBOURS}-NN accuracy",
    full=f"{NEIGHBOURS}-NN accuracy in 2-D",
    column=f"{NEIGHBOURS}-NN",
    compute=knn_accuracy,
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
    compute=knn_of_features,
    value="accuracy",
    count="test_n",
    scale=PERCENT,
    basis="on {:,} held-out patches",
    headline=False,
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
    compute=_balanced,
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
    compute=_macro_f1,
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
