"""Ways to predict values of held-out patches: guessing, neighbours, linear models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from napari_patchmap.quality.figure import FigureInput

#: Patches from which the penalty of a linear model is chosen, in so many parts.
_MOST_SEEN, _FOLDS = 5_000, 3

#: Penalties that are tried: inverse strengths of the classifier, strengths of the ridge.
_INVERSE, _STRENGTHS = np.logspace(-4, 2, 7), np.logspace(-2, 6, 17)

#: Steps of a logistic regression at most.
_STEPS = 1_000

#: Held-out patches at most whose neighbours are looked for among features.
_MOST_TESTED = 5_000


@dataclass(frozen=True, eq=False)
class Target:
    """What is to be predicted.

    Parameters
    ----------
    given : FigureInput
        Map and features of the patches whose value is known.
    wanted : ndarray, shape (n,)
        Their values, text or numbers.
    groups : ndarray of str, shape (n,), optional
        What is not divided, where a penalty is chosen.
    numbers : bool
        Whether values are quantities, and no classes.
    k : int
        Neighbours that are asked.
    """

    given: FigureInput
    wanted: np.ndarray
    groups: np.ndarray | None
    numbers: bool
    k: int

    @property
    def classes(self) -> np.ndarray | None:
        """The class of each patch, None where values are numbers."""
        return None if self.numbers else self.wanted


#: Takes what is to be predicted, rows to learn from and rows to predict; returns what is
#: predicted of the latter, or of the first of them.
Predictor = Callable[[Target, np.ndarray, np.ndarray], np.ndarray]


def predictors(task: Target) -> dict[str, Predictor]:
    """Return the ways to predict, by their names, the one that looks at nothing first."""
    k, featured = task.k, task.given.features is not None
    ways: dict[str, Predictor] = {}
    ways["mean" if task.numbers else "most frequent"] = _guessed
    ways[f"{k}-NN, map"] = on_map
    if featured:
        ways[f"{k}-NN, features"] = in_features
    if featured and task.numbers:
        ways["ridge, features"] = _ridge
    elif featured:
        ways["linear"] = _linear
        ways["linear, L2"] = _penalised
    return ways


def _guessed(task: Target, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    guess = DummyRegressor() if task.numbers else DummyClassifier(strategy="most_frequent")
    return _fitted(guess, np.zeros((len(task.wanted), 1)), task, train, test)


def on_map(task: Target, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Predict by the nearest neighbours on the map."""
    return _fitted(_near(task)(task.k), task.given.embedding, task, train, test)


def in_features(task: Target, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Predict the first 5,000 by the nearest neighbours among the features."""
    near = _near(task)(task.k, metric=task.given.metric, algorithm="brute")
    return _fitted(near, _features(task), task, train, test[:_MOST_TESTED])


def _linear(task: Target, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    model = LogisticRegression(C=np.inf, max_iter=_STEPS)
    return _fitted(make_pipeline(StandardScaler(), model), _features(task), task, train, test)


def _penalised(task: Target, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    some = np.random.default_rng(0).permutation(train)[:_MOST_SEEN]
    x = StandardScaler().fit(_features(task)[train]).transform(_features(task))
    tried = GridSearchCV(
        LogisticRegression(max_iter=_STEPS), {"C": _INVERSE}, cv=_folds(task, some), refit=False
    )
    tried.fit(x[some], task.wanted[some])
    model = LogisticRegression(max_iter=_STEPS, **tried.best_params_)
    return _fitted(model, x, task, train, test)


def _ridge(task: Target, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    model = make_pipeline(StandardScaler(), RidgeCV(_STRENGTHS))
    return _fitted(model, _features(task), task, train, test)


def _near(task: Target) -> Any:
    return KNeighborsRegressor if task.numbers else KNeighborsClassifier


def _features(task: Target) -> np.ndarray:
    assert task.given.features is not None
    return task.given.features


def _folds(task: Target, rows: np.ndarray) -> Any:
    """Divide what a penalty is chosen from, groups never."""
    x, wanted = np.zeros(len(rows)), task.wanted[rows]
    if task.groups is not None:
        parts = min(_FOLDS, len(np.unique(task.groups[rows])))
        if parts > 1:
            return list(GroupKFold(parts).split(x, wanted, task.groups[rows]))
    elif np.unique(wanted, return_counts=True)[1].min() >= _FOLDS:
        folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
        return list(folds.split(x, wanted))
    return list(KFold(_FOLDS, shuffle=True, random_state=0).split(x))


def _fitted(
    model: Any, x: np.ndarray, task: Target, train: np.ndarray, test: np.ndarray
) -> np.ndarray:
    found: np.ndarray = model.fit(x[train], task.wanted[train]).predict(x[test])
    return found
