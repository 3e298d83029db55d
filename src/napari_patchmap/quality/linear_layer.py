"""Linear layers on features: one quickly trained, one as Nielsen et al. (2023) did."""

from __future__ import annotations

from collections import deque

import numpy as np
import torch

#: Of the layer that is quickly trained: steps, each with all labels, their rate and weight
#: decay.
_QUICK_STEPS, _QUICK_RATE, _QUICK_DECAY = 200, 0.01, 0.05

#: Share of the labels by which it is judged when to stop.
_HELD_OUT = 0.3

#: Times that all others are seen at most, and how many at once.
_EPOCHS, _BATCH = 500, 256

#: Rate and weight decay, and the moments of AdamW and what its steps are not divided by.
_RATE, _DECAY = 1e-4, 0.05
_MOMENTS, _LEAST = (0.9, 0.999), 1e-8

#: Spread of the weights at first.
_SPREAD = 0.02

#: A gradient is at most so large a share of its weights, which count as no smaller than this.
_CLIP, _LEAST_NORM = 0.16, 1e-3

#: Steps in which the rate rises; then it is halved after so many steps in which the loss has
#: not fallen by a ten-thousandth, and no earlier than as many after that.
_WARM, _PATIENCE, _LESS = 250, 500, 1e-4

#: Steps between two looks at what is held out, looks that are not judged, and what is an
#: improvement.
_LOOK, _UNJUDGED, _BETTER = 100, 40, 0.005


class LinearLayer:
    """A linear layer on the features, trained with classes weighted by their rarity."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def fit(self, x: np.ndarray, y: np.ndarray) -> LinearLayer:
        """Train it on features (n, f) and labels (n,)."""
        self._names, codes = np.unique(y, return_inverse=True)
        given = torch.from_numpy(x.astype(np.float32))
        wanted = torch.from_numpy(codes)
        counts = torch.bincount(wanted).float()
        generator = torch.Generator().manual_seed(self._seed)
        layer = torch.nn.Linear(x.shape[1], len(self._names))
        with torch.no_grad():
            layer.weight.normal_(0, 0.01, generator=generator)
            layer.bias.zero_()
        optimiser = torch.optim.AdamW(
            layer.parameters(), lr=_QUICK_RATE, weight_decay=_QUICK_DECAY
        )
        weight = counts.reciprocal() / counts.reciprocal().mean()
        for _ in range(_QUICK_STEPS):
            loss = torch.nn.functional.cross_entropy(layer(given), wanted, weight=weight)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        self._layer = layer
        return self

    @torch.no_grad()
    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the label of each of some features, (m,)."""
        scores = self._layer(torch.from_numpy(x.astype(np.float32)))
        found: np.ndarray = self._names[scores.argmax(dim=1).numpy()]
        return found


class EarlyStoppedLayer:
    """A linear layer, stopped when labels that are held out are told no better.

    AdamW on batches of 256, cross-entropy with classes weighted by their rarity, adaptive
    gradient clipping (Brock et al. 2021), a rate that rises, and is halved when the loss does
    not fall. 30 % of the labels of each class judge: every 100 steps, from the 41st look on,
    by their balanced accuracy. The weights of the best look are kept, the last of equal ones.

    As published, but that features are of patches as they are and transformed as for the other
    classifiers, where the authors change the patches anew each time and train the norms of the
    network as well; that a class of one label is learned and not held out, where their code
    ends; and that the best weights are kept, as they meant to.

    Parameters
    ----------
    seed : int
        Of the weights, of what is held out and of the order.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def fit(self, x: np.ndarray, y: np.ndarray) -> EarlyStoppedLayer:
        """Train it on features (n, f) and labels (n,)."""
        rng = np.random.default_rng(self._seed)
        self._names, codes = np.unique(y, return_inverse=True)
        held = _held_out(codes, rng)
        seen, known = _with_ones(x[~held]), codes[~held]
        judge = _Judge(_with_ones(x[held]), codes[held], len(x), len(self._names))
        rarity = 1 / np.bincount(known)
        weights = (rarity / rarity.mean()).astype(np.float32)
        layer = np.zeros((seen.shape[1], len(self._names)), np.float32)
        layer[:-1] = _SPREAD * rng.standard_normal(layer[:-1].shape).clip(-2, 2)
        adam, rate = _AdamW(layer), _Rate()
        size = min(_BATCH, len(seen))
        recent = deque[float](maxlen=len(seen) // size)
        for step in range(_EPOCHS * (len(seen) // size)):
            start = step % (len(seen) // size) * size
            if not start:
                order = rng.permutation(len(seen))
            some = order[start : start + size]
            loss, slope = _slope(layer, seen[some], known[some], weights)
            adam.step(_clipped(slope, layer), rate.now)
            recent.append(loss)
            rate.update(step, sum(recent) / len(recent))
            if step % _LOOK == 0 and judge.stops(layer):
                break
        self._layer = layer if judge.best is None else judge.best
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the label of each of some features, (m,)."""
        found: np.ndarray = self._names[(_with_ones(x) @ self._layer).argmax(axis=1)]
        return found


class _AdamW:
    """Loshchilov and Hutter (2019), of weights that are changed in place."""

    def __init__(self, weights: np.ndarray) -> None:
        self._weights = weights
        self._first, self._second = np.zeros_like(weights), np.zeros_like(weights)
        self._steps = 0

    def step(self, slope: np.ndarray, rate: float) -> None:
        self._steps += 1
        one, two = _MOMENTS
        self._first += (1 - one) * (slope - self._first)
        self._second += (1 - two) * (slope * slope - self._second)
        scale = np.sqrt(self._second / (1 - two**self._steps)) + _LEAST
        self._weights *= 1 - rate * _DECAY
        self._weights -= rate / (1 - one**self._steps) * self._first / scale


class _Rate:
    """The rate of the next step."""

    def __init__(self) -> None:
        self.now = 0.0
        self._best, self._bad, self._rest = np.inf, 0, 0

    def update(self, step: int, loss: float) -> None:
        """Say what a step gave."""
        if step <= _WARM:
            self.now = _RATE * step / _WARM
            return
        better = loss < self._best * (1 - _LESS)
        self._best = loss if better else self._best
        self._bad = 0 if better or self._rest else self._bad + 1
        self._rest = max(0, self._rest - 1)
        if self._bad > _PATIENCE:
            self.now /= 2
            self._bad, self._rest = 0, _PATIENCE


class _Judge:
    """Says from what is held out when to stop, and keeps the best weights."""

    def __init__(self, x: np.ndarray, codes: np.ndarray, labels: int, classes: int) -> None:
        self.best: np.ndarray | None = None
        self._x, self._codes, self._counts = x, codes, np.bincount(codes, minlength=classes)
        # Looks without an improvement: more where a step is a smaller part of all labels.
        self._patience = min(max(5 * labels // _LOOK, 250 // _LOOK), 2500 // _LOOK)
        self._highest, self._limit, self._looks, self._worse = 0.0, 0.0, 0, 0

    def stops(self, layer: np.ndarray) -> bool:
        """Look at a layer; whether it has been enough."""
        if not len(self._codes):
            return False
        right = self._codes[(self._x @ layer).argmax(axis=1) == self._codes]
        each = np.bincount(right, minlength=len(self._counts))
        score = float(
            (each / np.maximum(self._counts, 1)).sum() / np.count_nonzero(self._counts)
        )
        if score >= self._highest:
            self._highest, self.best = score, layer.copy()
        self._looks += 1
        if self._looks <= _UNJUDGED + 1:
            self._limit = max(score, 1e-5)
            return False
        if score > self._limit * (1 + _BETTER):
            self._limit, self._worse = score, 0
        else:
            self._worse += 1
        return score <= self._limit and self._worse >= self._patience


def _held_out(codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return which of the labels are not learned, (n,) bool."""
    held = np.zeros(len(codes), bool)
    for code in range(codes.max() + 1):
        own = rng.permutation(np.flatnonzero(codes == code))
        held[own[: round(_HELD_OUT * len(own))]] = True
    return held


def _with_ones(x: np.ndarray) -> np.ndarray:
    """Return features with a last one that is 1 and takes the place of a constant."""
    return np.column_stack([x, np.ones(len(x))]).astype(np.float32)


def _slope(
    layer: np.ndarray, x: np.ndarray, codes: np.ndarray, weights: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return the weighted cross-entropy of a batch, and its gradient."""
    scores = x @ layer
    scores -= scores.max(axis=1, keepdims=True)
    shares = np.exp(scores)
    sums = shares.sum(axis=1)
    shares /= sums[:, None]
    each = weights[codes]
    each /= each.sum()
    own = np.arange(len(codes)), codes
    loss = float(each @ (np.log(sums) - scores[own]))
    shares[own] -= 1
    shares *= each[:, None]
    return loss, x.T @ shares


def _clipped(slope: np.ndarray, layer: np.ndarray) -> np.ndarray:
    """Shorten a gradient, of each class and of the constants, in place."""
    for part in (slice(-1), slice(-1, None)):
        axis = 0 if part.stop else 1
        most = _CLIP * np.maximum(
            np.sqrt((layer[part] ** 2).sum(axis, keepdims=True)), _LEAST_NORM
        )
        norm = np.sqrt((slope[part] ** 2).sum(axis, keepdims=True))
        slope[part] *= np.minimum(1, most / np.maximum(norm, 1e-6))
    return slope
