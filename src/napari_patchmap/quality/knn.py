"""Nearest-neighbour accuracy: do neighbours on the map share a label?"""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

#: Neighbours that vote (Nwabufo et al., section 4).
NEIGHBOURS = 15

#: Share of the patches whose label is predicted from the others.
TEST_SHARE = 0.1


def knn_accuracy(
    embedding: np.ndarray, labels: np.ndarray, neighbours: int = NEIGHBOURS
) -> dict[str, object] | None:
    """Accuracy of a k-nearest-neighbour classifier on the map.

    A tenth of the patches, stratified by label, is predicted from the labels of
    its nearest neighbours among the rest (uniform votes, Euclidean distance,
    fixed split), as Nwabufo et al. score their maps. Labels serve for scoring
    only; the map itself was made from all patches.

    Parameters
    ----------
    embedding : ndarray, shape (n, d)
    labels : ndarray of str, shape (n,)
        At least two different labels, each at least twice.
    neighbours : int

    Returns
    -------
    dict or None
        ``accuracy`` (0 to 1), ``k``, ``test_n`` and ``per_class`` (label ->
        ``accuracy`` among its test patches and ``n``, how many those are).
        None when the set is too small to give each label a test patch and
        every test patch ``k`` neighbours.
    """
    classes, counts = np.unique(labels, return_counts=True)
    n_test = int(np.ceil(TEST_SHARE * len(labels)))
    if len(classes) < 2 or counts.min() < 2 or n_test < len(classes):
        return None
    if len(labels) - n_test < max(neighbours, len(classes)):
        return None
    train_x, test_x, train_y, test_y = train_test_split(
        embedding, labels, test_size=TEST_SHARE, random_state=0, stratify=labels
    )
    classifier = KNeighborsClassifier(neighbours).fit(train_x, train_y)
    right = classifier.predict(test_x) == test_y
    per_class = {
        str(name): {
            "accuracy": float(right[test_y == name].mean()),
            "n": int((test_y == name).sum()),
        }
        for name in classes
        if (test_y == name).any()
    }
    return {
        "accuracy": float(right.mean()),
        "k": neighbours,
        "test_n": len(test_y),
        "per_class": per_class,
    }
