"""Nearest-neighbour accuracy: do neighbours on the map share a label?"""

from __future__ import annotations

from typing import Any

import numpy as np
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
    assert given.labels is not None
    classes = np.unique(given.labels)
    n_test = int(np.ceil(TEST_SHARE * len(given)))
    if n_test < len(classes) or len(given) - n_test < max(NEIGHBOURS, len(classes)):
        return None
    train_x, test_x, train_y, test_y = train_test_split(
        given.embedding,
        given.labels,
        test_size=TEST_SHARE,
        random_state=0,
        stratify=given.labels,
    )
    classifier = KNeighborsClassifier(NEIGHBOURS).fit(train_x, train_y)
    right = classifier.predict(test_x) == test_y
    return {
        **share_entry(right, "accuracy", "test_n"),
        "k": NEIGHBOURS,
        "per_class": label_means(right, test_y, "accuracy"),
    }


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
    undefined="{n:,} labelled patches are too few for "
    f"{NEIGHBOURS}-nearest-neighbour accuracy.",
    help="A tenth of the patches, drawn so that every label keeps its share, is hidden; each "
    f"of them is given the label that most of its {NEIGHBOURS} nearest neighbours on the map "
    "have, and we count how often that is right. 100 % means that neighbours on the map "
    "always share their label; guessing the most frequent label gives its share.",
    reference="as in Nwabufo et al. 2024",
)
