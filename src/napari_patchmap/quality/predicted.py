"""Labels that were predicted, the true ones, and how sure scores of them are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

#: Samples of the patches that are drawn for an interval.
_SAMPLES = 1_000

#: Takes the true label, the predicted one and how often both occur in each sample: (p, c) and
#: (p, c) of 0 and 1, and (s, p); returns a score of each sample, (s,).
SampleScore = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Predicted:
    """What was predicted of held-out patches.

    Parameters
    ----------
    labels, predicted : ndarray of str, shape (n,)
        What is true, and what was predicted.
    """

    labels: np.ndarray
    predicted: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def right(self) -> np.ndarray:
        """Whether the true label was predicted, (n,)."""
        found: np.ndarray = self.labels == self.predicted
        return found

    def interval(self, score: SampleScore) -> dict[str, float]:
        """Return ``low`` and ``high``: between them a score of 95 % of samples lies.

        Samples are as large as the patches that were predicted, and drawn from them with
        replacement (the percentile bootstrap of Efron 1979).
        """
        names = np.unique(np.concatenate([self.labels, self.predicted]))
        true, predicted = (np.searchsorted(names, of) for of in (self.labels, self.predicted))
        pairs, counts = np.unique(true * len(names) + predicted, return_counts=True)
        # Drawing patches with replacement is drawing pairs of labels by their frequency.
        drawn = np.random.default_rng(0).multinomial(
            len(self), counts / counts.sum(), size=_SAMPLES
        )
        each = np.eye(len(names))
        found = score(each[pairs // len(names)], each[pairs % len(names)], drawn)
        low, high = np.percentile(found, (2.5, 97.5))
        return {"low": float(low), "high": float(high)}


def mean_recall(true: np.ndarray, predicted: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Balanced accuracy of each sample; a label that is not in one does not count there."""
    right, there = counts @ (true * predicted), counts @ true
    shares = right / np.maximum(there, 1)
    means: np.ndarray = shares.sum(axis=1) / np.maximum((there > 0).sum(axis=1), 1)
    return means


def mean_f1(true: np.ndarray, predicted: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Macro F1 of each sample; a label that is neither there nor predicted does not count."""
    right, both = counts @ (true * predicted), counts @ true + counts @ predicted
    shares = 2 * right / np.maximum(both, 1)
    means: np.ndarray = shares.sum(axis=1) / np.maximum((both > 0).sum(axis=1), 1)
    return means
