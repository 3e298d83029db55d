"""How well classes are told apart, by patches that were not learned from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedKFold

from napari_patchmap.explore.classifiers import CANDIDATES, Candidate

#: Folds and repeats at most; fewer for many patches, where they tell little more.
_FOLDS, _FEW_FOLDS, _REPEATS, _MANY = 5, 3, 3, 300

#: Standard deviations by which another candidate has to be better than the first.
_SURE = 2

#: Draws of the bootstrap.
_DRAWS = 400

#: Temperatures that are tried; discriminants of a few patches that stand apart go high.
_TEMPERATURES = np.geomspace(0.1, 2000, 150)


@dataclass(frozen=True, eq=False)
class CrossCheck:
    """The classifier that was chosen, and how good it is; K classes, n patches.

    Parameters
    ----------
    chosen : Discriminants, Logistic or Neighbours
    folds, repeats : int
    recalls : ndarray, shape (K,)
        Share of each class that was given the right one, 0 to 1.
    counts : ndarray of int, shape (K,)
        Patches of each class that were looked at.
    deviation : float
        Standard deviation of the balanced accuracy, from drawing patches and splits.
    temperature : float
        What logits are divided by, so that probabilities are as often right as they say.
    logits : ndarray, shape (n, K)
        What was said of each patch while it was not learned from, mean over the repeats.
    """

    chosen: Candidate
    folds: int
    repeats: int
    recalls: np.ndarray
    counts: np.ndarray
    deviation: float
    temperature: float
    logits: np.ndarray

    @property
    def score(self) -> float:
        """Balanced accuracy, 0 to 1: the mean of the recalls."""
        return float(self.recalls.mean())

    @property
    def interval(self) -> tuple[float, float]:
        """About where the balanced accuracy lies with a probability of 95 %."""
        reach = 1.96 * self.deviation
        return max(0.0, self.score - reach), min(1.0, self.score + reach)


def steps_of(y: np.ndarray) -> int:
    """Return how many fits :func:`cross_check` makes at most."""
    folds, repeats = _splits(np.bincount(y))
    return folds * repeats * len(CANDIDATES)


def cross_check(
    x: np.ndarray, y: np.ndarray, seed: int, step: Callable[[int], None]
) -> CrossCheck:
    """Choose a classifier by stratified cross-validation, and say how good it is.

    The best of several looks better than it is, the more so the fewer patches there are.
    So the choice is made again on bootstrap draws of the patches, and scored on those that
    were not drawn (BBC-CV: Tsamardinos, Greasidou and Borboudakis, "Bootstrapping the
    out-of-sample predictions for efficient and accurate cross-validation", Machine Learning
    2018). Probabilities are calibrated by one temperature (Guo et al., "On calibration of
    modern neural networks", ICML 2017), towards the smoothed targets of Platt (1999) so that
    six patches that all were right do not make anything certain.

    Parameters
    ----------
    x : ndarray of float32, shape (n, d)
        Centred, of a scale about 1.
    y : ndarray of int, shape (n,)
        Classes 0 to K - 1, two patches each or more.
    seed : int
    step : callable
        Told how many fits were made; may raise to end.
    """
    counts = np.bincount(y)
    folds, repeats = _splits(counts)
    smallest = len(y) - -(-len(y) // folds) - 1
    candidates = [one for one in CANDIDATES if one.possible(smallest, x.shape[1])]
    logits = np.zeros((len(candidates), repeats, len(y), len(counts)), np.float32)
    done = 0
    for repeat in range(repeats):
        splits = StratifiedKFold(folds, shuffle=True, random_state=seed + repeat)
        for known, held in splits.split(x, y):
            for number, one in enumerate(candidates):
                step(done)
                logits[number, repeat, held] = one.fit(x[known], y[known])(x[held])
                done += 1
    right = (logits.argmax(axis=-1) == y).astype(float)  # candidate, repeat, patch
    each = np.stack([right[..., y == k].mean(axis=-1) for k in range(len(counts))], axis=-1)
    balanced = each.mean(axis=-1)  # candidate, repeat
    losses = [_loss(one.reshape(-1, len(counts)), np.tile(y, repeats)) for one in logits]
    # The better one; of those as good as each other the one that is surer for good reason.
    # But the first is what is best for most features: another has to be better for sure, or
    # suggestions would change with every few annotations.
    ahead = np.zeros(len(candidates))
    ahead[0] = _SURE * _deviation(each[0].mean(axis=0), counts)
    order = np.lexsort((losses, -(balanced.mean(axis=1) + ahead).round(6)))
    recalls = _unbiased(right[order].mean(axis=1).T, ahead[order], y, seed)
    best = int(order[0])
    deviation = float(np.hypot(_deviation(recalls, counts), balanced[best].std()))
    temperature = _temperature(logits[best], y)
    return CrossCheck(
        candidates[best], folds, repeats, recalls, counts, deviation, temperature,
        logits[best].mean(axis=0),
    )  # fmt: skip


def probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Return probabilities of the classes, shape (m, K)."""
    scaled = logits / np.float32(temperature)
    shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return shares


def _splits(counts: np.ndarray) -> tuple[int, int]:
    """Return folds and repeats for classes of so many patches."""
    many = counts.sum() > _MANY
    folds = min(_FEW_FOLDS if many else _FOLDS, int(counts.min()))
    return folds, 1 if many else max(1, min(_REPEATS, _MANY // int(counts.sum())))


def _loss(logits: np.ndarray, y: np.ndarray) -> float:
    own = probabilities(logits)[np.arange(len(y)), y]
    return float(-np.log(np.maximum(own, 1e-12)).mean())


def _deviation(recalls: np.ndarray, counts: np.ndarray) -> float:
    """Return the standard deviation of the mean of recalls, from how many were drawn."""
    expected = (recalls * counts + 1) / (counts + 2)
    return float(np.sqrt((expected * (1 - expected) / (counts + 3)).sum()) / len(counts))


def _unbiased(right: np.ndarray, ahead: np.ndarray, y: np.ndarray, seed: int) -> np.ndarray:
    """Recalls of what would have been chosen without the patches it is scored on.

    ``right`` (n, candidate) is how often each patch was right, the best candidate first;
    ``ahead`` is added to the balanced accuracy of each before one is chosen.
    """
    rng = np.random.default_rng(seed)
    classes = range(int(y.max()) + 1)
    rows = [np.flatnonzero(y == k) for k in classes]
    drawn, inside = [], np.zeros((_DRAWS, right.shape[1]))
    for own in rows:
        draws = rng.integers(0, len(own), (_DRAWS, len(own)))
        times = np.zeros((_DRAWS, len(own)))
        np.add.at(times, (np.arange(_DRAWS)[:, None], draws), 1)
        drawn.append(times)
        inside += times @ right[own] / len(own)
    chosen = (inside / len(rows) + ahead).round(6).argmax(axis=1)
    recalls = []
    for own, times in zip(rows, drawn, strict=True):
        out = times == 0
        hits = (out * right[own][:, chosen].T).sum(axis=1)
        some = out.any(axis=1)
        recalls.append((hits[some] / out[some].sum(axis=1)).mean())
    return np.array(recalls)


def _temperature(logits: np.ndarray, y: np.ndarray) -> float:
    """Return what logits (repeat, n, K) are to be divided by."""
    repeats, _, classes = logits.shape
    counts = np.bincount(y)
    own = ((counts + 1) / (counts + 2))[y]
    target = np.repeat(((1 - own) / (classes - 1))[:, None], classes, axis=1)
    target[np.arange(len(y)), y] = own
    flat, target = logits.reshape(-1, classes), np.tile(target, (repeats, 1))
    losses = [
        -(target * np.log(np.maximum(probabilities(flat, t), 1e-30))).sum(axis=1).mean()
        for t in _TEMPERATURES
    ]
    return float(_TEMPERATURES[int(np.argmin(losses))])
