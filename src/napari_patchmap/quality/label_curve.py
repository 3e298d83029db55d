"""How many labels are enough? Classifiers of the features, given more and more labels."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import PowerTransformer
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from napari_patchmap.errors import QualityError
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.quality.figure import refuse_useless
from napari_patchmap.quality.linear_layer import EarlyStoppedLayer, LinearLayer
from napari_patchmap.settings import Config, setting

#: Labels of each class (Nielsen et al. 2023), and the share of patches that are tested.
SIZES = (1, 5, 10, 25, 50, 100, 250, 500, 1000)
TEST_SHARE = 0.3

#: Patches that are tested at most: the error of a share of so many is about 1 %.
_MOST_TESTED = 2_000

#: Patches from which the transformation of the features is found at most.
_MOST_SEEN = 5_000

#: Neighbours of the k-NN classifier, each counted by its nearness.
_NEIGHBOURS = 10


#: A linear layer, trained quickly on all labels or as published.
LINEAR, STOPPED = "linear layer", "early-stopped layer"


class _Classifier(Protocol):
    def fit(self, x: np.ndarray, y: np.ndarray) -> Any: ...
    def predict(self, x: np.ndarray) -> np.ndarray: ...


#: From a seed and the number of labelled patches to each classifier, by its name in print.
CLASSIFIERS: dict[str, Callable[[int, int], _Classifier]] = {
    "SVM": lambda seed, count: SVC(class_weight="balanced"),
    "logistic regression": lambda seed, count: LogisticRegression(
        C=2.5, class_weight="balanced", solver="newton-cg", max_iter=1000
    ),
    f"{_NEIGHBOURS}-NN": lambda seed, count: KNeighborsClassifier(
        min(_NEIGHBOURS, count), weights="distance"
    ),
    LINEAR: lambda seed, count: LinearLayer(seed),
    STOPPED: lambda seed, count: EarlyStoppedLayer(seed),
}

#: Those that are usual; the second paper's linear layer is stopped early.
USUAL = tuple(name for name in CLASSIFIERS if name != STOPPED)


@dataclass(frozen=True)
class CurveConfig(Config):
    """How a label curve is made, by :data:`CLASSIFIERS` or some of them."""

    repeats: int = setting(
        20,
        "How often labels are drawn at random; the more, the surer. Published: 100.",
        low=1,
        high=1000,
        unit="draws",
        label="Repeat",
    )
    power: bool = setting(
        True,
        "Make each feature as normal as it can be (Yeo-Johnson) before labels are learned, as "
        "published; otherwise features are only centred and scaled.",
        label="Normal features",
    )
    pca: bool = setting(
        True, "Turn features to their principal components, as published.", label="PCA"
    )
    stopped: bool = setting(
        False,
        "Train the linear layer as published: slowly, and until labels that it does not learn "
        "(30 % of those of each class) are told no better; so it tells less from few labels. "
        "Otherwise it is quickly trained on all.",
        label="Stop early",
    )
    classifiers: tuple[str, ...] = USUAL

    @property
    def names(self) -> tuple[str, ...]:
        """The classifiers, with the linear layer that is trained."""
        return tuple(
            STOPPED if self.stopped and name == LINEAR else name for name in self.classifiers
        )


#: The second paper's.
PUBLISHED = CurveConfig(repeats=100, stopped=True)


def label_curve(
    features: np.ndarray,
    labels: np.ndarray,
    config: CurveConfig | None = None,
    watch: Watch = UNWATCHED,
) -> dict[str, Any]:
    """Say how well labels are told from features, against the labels of each class.

    Of a fixed stratified split 70 % are drawn from and 30 % (2,000 patches at most) are
    tested, as Nielsen et al. (2023). A class that has fewer patches than are wanted gives
    all that it has.

    Parameters
    ----------
    features : ndarray, shape (n, f)
    labels : ndarray of str, shape (n,)
        "" where there is none.
    config : CurveConfig, optional
    watch : Watch
        Told after each draw what is known so far.

    Returns
    -------
    dict
        ``sizes``; ``curves``: for each classifier ``mean``, ``low`` and ``high`` balanced
        accuracy for each size (95 % of the draws, or all of fewer); ``repeats`` that were
        made; ``test_n``; ``classes``; ``small``: the classes that have fewer than the
        largest size; ``left_out``: those of fewer than two patches.

    Raises
    ------
    QualityError
        If there are fewer than two classes of four patches, or all features are alike.
    """
    config = config or CurveConfig()
    refuse_useless(features)
    names, counts = np.unique(labels[labels != ""], return_counts=True)
    kept = names[counts >= 4]
    if len(kept) < 2:
        raise QualityError(
            "How many labels are enough can be found out from two classes of four patches each."
        )
    rows = np.flatnonzero(np.isin(labels, kept))
    train, test = train_test_split(
        rows, test_size=max(TEST_SHARE, len(kept) / len(rows)), random_state=0,
        stratify=labels[rows],
    )  # fmt: skip
    test = np.random.default_rng(0).permutation(test)[:_MOST_TESTED]
    x = _transformed(np.asarray(features, np.float64), train, config)
    largest = max(np.sum(labels[train] == name) for name in kept)
    sizes = [n for i, n in enumerate(SIZES) if i == 0 or SIZES[i - 1] < largest]
    found = np.full((len(config.names), len(sizes), config.repeats), np.nan)
    result: dict[str, Any] = {}
    for repeat in range(config.repeats):
        parts = [_drawn(labels, train, kept, size, repeat) for size in sizes]

        def score(place: tuple[int, int], repeat: int = repeat, parts: Any = parts) -> float:
            some = parts[place[1]]
            made = CLASSIFIERS[config.names[place[0]]](repeat, len(some))
            made.fit(x[some], labels[some])
            return float(balanced_accuracy_score(labels[test], made.predict(x[test])))

        places = [(c, s) for s in range(len(sizes)) for c in range(len(config.names))]
        # Each thread has a classifier of its own, so that its products need but one. Asked
        # under that limit, torch would have one thread.
        with ThreadPoolExecutor(torch.get_num_threads()) as pool, threadpool_limits(1):
            for (c, s), value in zip(places, pool.map(score, places), strict=True):
                found[c, s, repeat] = value
        result = _summary(found[:, :, : repeat + 1], sizes, config)
        result |= {
            "test_n": len(test),
            "classes": len(kept),
            "small": [str(n) for n in kept if np.sum(labels[train] == n) < sizes[-1]],
            "left_out": [str(n) for n in names[counts < 4]],
        }
        if watch.ends(repeat + 1, config.repeats, result):
            break
    return result


def _transformed(x: np.ndarray, train: np.ndarray, config: CurveConfig) -> np.ndarray:
    """Transform features by what those say that labels are drawn from."""
    seen = train[:_MOST_SEEN]
    x = x[:, x[seen].std(axis=0) > 1e-12]
    if config.power:
        x = PowerTransformer().fit(x[seen]).transform(x)
    else:
        x = (x - x[seen].mean(axis=0)) / x[seen].std(axis=0)
    return PCA(random_state=0).fit(x[seen]).transform(x) if config.pca else x


def _drawn(
    labels: np.ndarray, train: np.ndarray, names: np.ndarray, size: int, seed: int
) -> np.ndarray:
    """Draw so many patches of each class, all of a class that has fewer."""
    rng = np.random.default_rng((seed, size))
    own = (train[labels[train] == name] for name in names)
    return np.concatenate([rng.permutation(rows)[:size] for rows in own])


def _summary(found: np.ndarray, sizes: list[int], config: CurveConfig) -> dict[str, Any]:
    low, high = np.percentile(found, (2.5, 97.5), axis=2)
    return {
        "sizes": list(sizes),
        "repeats": found.shape[2],
        "power": config.power,
        "pca": config.pca,
        "curves": {
            name: {
                "mean": found[c].mean(axis=1).tolist(),
                "low": low[c].tolist(),
                "high": high[c].tolist(),
            }
            for c, name in enumerate(config.names)
        },
    }
