"""What tells classes apart by features: linear and logistic models, or nearest neighbours."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.covariance import ledoit_wolf
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

#: From centred features to what speaks for each class, shape (m, class): logarithms of
#: probabilities, up to a number for each row.
Classifier = Callable[[np.ndarray], np.ndarray]

#: Steps of the fit; more change the suggestions of hardly a patch.
_STEPS = 100


@dataclass(frozen=True)
class Logistic:
    """Multinomial logistic regression; each class counts the same, however many it has.

    Parameters
    ----------
    strength : float
        Inverse strength of the L2 penalty, above 0.
    """

    strength: float

    @property
    def name(self) -> str:
        """As in a sentence."""
        return f"logistic regression (C = {self.strength:g})"

    def possible(self, count: int, width: int) -> bool:
        """Whether so many patches are enough, of so many features."""
        return True

    def fit(self, x: np.ndarray, y: np.ndarray) -> Classifier:
        """Learn classes 0, 1, ..., each of which is there."""
        model = LogisticRegression(
            C=self.strength, class_weight="balanced", tol=1e-2, max_iter=_STEPS
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(x, y)
        weights = np.asarray(model.coef_.T, np.float32)
        bias = np.asarray(model.intercept_, np.float32)
        if weights.shape[1] == 1:  # two classes: what speaks for the second
            weights = np.hstack([np.zeros_like(weights), weights])
            bias = np.append(np.zeros_like(bias), bias)
        return lambda some: some @ weights + bias


@dataclass(frozen=True)
class Discriminants:
    """Linear discriminant analysis; each class counts the same, however many it has.

    Features of a trained network vary much along few directions and little along many. The
    variation within the classes says which differences count; of few patches it is known
    well enough when it is shrunk (Ledoit and Wolf, "A well-conditioned estimator for
    large-dimensional covariance matrices", Journal of Multivariate Analysis 2004).

    Parameters
    ----------
    most : int
        Features up to which its matrices are solved quickly; of more it is not possible.
    """

    most: int = 1024

    @property
    def name(self) -> str:
        """As in a sentence."""
        return "linear discriminant analysis"

    def possible(self, count: int, width: int) -> bool:
        """Whether so many patches are enough, of so many features."""
        return width <= self.most

    def fit(self, x: np.ndarray, y: np.ndarray) -> Classifier:
        """Learn classes 0, 1, ..., each of which is there."""
        x = x.astype(np.float64)
        counts = np.bincount(y)
        means = np.stack([x[y == k].mean(axis=0) for k in range(len(counts))])
        within = x - means[y]
        scale = within.std(axis=0)
        scale[scale == 0] = np.inf  # it tells nothing, or nothing that could be trusted
        covariance, _ = ledoit_wolf(within / scale, assume_centered=True)
        # Patches lie nearer to the mean of their own few than to that of the class.
        covariance *= len(x) / max(len(x) - len(counts), 1)
        covariance[np.diag_indices_from(covariance)] += 1e-6
        weights = np.linalg.solve(covariance, (means / scale).T) / scale[:, None]
        bias = -0.5 * (means * weights.T).sum(axis=1)
        weights, bias = weights.astype(np.float32), bias.astype(np.float32)
        return lambda some: some @ weights + bias


@dataclass(frozen=True)
class Neighbours:
    """Votes of the nearest annotated patches, the nearer ones counting more.

    A vote counts the more, the fewer patches its class has.

    Parameters
    ----------
    count : int
        How many vote, at least 1.
    """

    count: int

    @property
    def name(self) -> str:
        """As in a sentence."""
        return f"{self.count} nearest neighbours" if self.count > 1 else "the nearest neighbour"

    def possible(self, count: int, width: int) -> bool:
        """Whether so many patches are enough, of so many features."""
        return self.count == 1 or self.count <= count // 2

    def fit(self, x: np.ndarray, y: np.ndarray) -> Classifier:
        """Learn classes 0, 1, ..., each of which is there."""
        model = KNeighborsClassifier(self.count, weights="distance", algorithm="brute")
        model.fit(x, y)
        each = 1 / np.bincount(y)

        def votes(some: np.ndarray) -> np.ndarray:
            share = model.predict_proba(some) * each
            share /= share.sum(axis=1, keepdims=True)
            # One more vote that is divided among all: nothing is impossible.
            return np.log(self.count * share + 1 / len(each)).astype(np.float32)

        return votes


Candidate = Discriminants | Logistic | Neighbours

#: What is tried; of several that are as good as each other, the first.
CANDIDATES: tuple[Candidate, ...] = (
    Discriminants(),
    Logistic(0.3),
    Logistic(0.03),
    Logistic(3.0),
    Neighbours(1),
    Neighbours(5),
    Neighbours(15),
)
