"""Groups around centres, and how many of them: mini-batch k-means and its elbow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.cluster import MiniBatchKMeans

from napari_patchmap.find.space import drawn, reduced
from napari_patchmap.patches.watch import Watch

#: Numbers of groups that are tried first; then those between the neighbours of the best.
TRIED = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 50, 60)

#: Patches and principal components on which they are tried, and patches of a step.
_SAMPLE, _COMPONENTS, _BATCH = 20_000, 50, 4_096

#: The curve is the mean of those of so many draws, each of this share of the patches, and of
#: no more than so many: that of one draw bends now here, now there.
_DRAWS, _SHARE, _DRAWN = 5, 0.8, 4_000

#: A bend of less is none, and numbers at which it is nearly the largest are as good.
_FLAT, _NEARLY = 0.01, 0.95

#: Beginnings that are tried, and patches of a group in the sample that it begins with.
_TRIES, _MEMBERS = 10, 10

#: Centres that explain all but this share stand for the patches themselves.
_NOTHING = 1e-4

#: Groups that are made where the curve does not bend.
_TO_BEGIN_WITH = 8


@dataclass(frozen=True)
class Elbow:
    """How well so many centres stand for the patches.

    Parameters
    ----------
    numbers : tuple of int
        Numbers of groups that were tried, from 1 upwards.
    inertia : tuple of float
        Mean squared distance to the nearest centre, for each.
    """

    numbers: tuple[int, ...]
    inertia: tuple[float, ...]

    def _bends(self) -> np.ndarray:
        """How far the curve lies below the line between its ends, for each number."""
        numbers, inertia = np.array(self.numbers, float), np.array(self.inertia)
        lowest = inertia[0] * _NOTHING
        if len(numbers) < 2 or inertia.min() >= inertia[0]:
            return np.zeros(len(numbers))
        falls = np.log(inertia[0] / np.maximum(inertia, lowest))
        along = np.log(numbers)
        bends: np.ndarray = falls / falls.max() - along / along[-1]
        return bends

    @property
    def bend(self) -> int:
        """The number of groups at which the curve bends most, 1 if it does not.

        That is where it is furthest below the straight line between its ends: the knee of
        Satopää et al., "Finding a Kneedle in a haystack" (ICDCSW 2011), section III. Both axes
        are logarithms, for in patches without groups the inertia falls as a power of the number
        (Krzanowski and Lai, Biometrics 44, 1988), which is a straight line then. Depths of less
        than a hundredth of the whole fall are none.
        """
        bends = self._bends()
        return self.numbers[int(bends.argmax())] if bends.max() >= _FLAT else 1

    @property
    def likely(self) -> tuple[int, int]:
        """The fewest and the most groups at which the curve bends nearly as much."""
        bends = self._bends()
        near = np.array(self.numbers)[bends >= _NEARLY * bends.max()]
        return int(near.min()), int(near.max())

    @property
    def suggested(self) -> int:
        """How many groups to make."""
        return self.bend if self.bend > 1 else min(_TO_BEGIN_WITH, self.numbers[-1])

    @property
    def explained(self) -> tuple[float, ...]:
        """Share of the variance that the centres explain, 0 to 1, for each number."""
        whole = self.inertia[0]
        return tuple(1 - value / whole if whole > 0 else 0.0 for value in self.inertia)


def elbow(points: np.ndarray, seed: int, watch: Watch) -> Elbow:
    """Try numbers of groups.

    Parameters
    ----------
    points : ndarray of float32, shape (n, d)
        Not all alike. Of more than 20,000 so many are drawn, and centres are looked for along
        50 principal components; what varies besides is explained by none. The curve is the mean
        of those of five draws of at most 4,000 of them.
    seed : int
    watch : Watch
        Told the :class:`Elbow` that is known so far.
    """
    whole = points[drawn(len(points), _SAMPLE, seed)]
    some = reduced(whole, _COMPONENTS, seed)
    besides = max(0.0, _spread(whole) - _spread(some))
    random = np.random.default_rng(seed)
    count = min(round(_SHARE * len(some)), _DRAWN)
    draws = [some[random.choice(len(some), count, replace=False)] for _ in range(_DRAWS)]
    differ = min(len(np.unique(one, axis=0)) for one in draws)
    most = min(count // 2, differ, TRIED[-1])
    first = [number for number in TRIED if number <= most]
    known: dict[int, float] = {}

    def try_all(numbers: list[int], total: int) -> bool:
        for number in numbers:
            known[number] = besides + _inertia(some, draws, number, seed)
            if watch.ends(len(known), total, _curve(known)):
                return True
        return False

    if try_all(first, len(first) + 4):
        return _curve(known)
    knee = first.index(_curve(known).bend)
    around = range(first[max(0, knee - 1)], first[min(knee + 1, len(first) - 1)])
    closer = [number for number in around if number not in known]
    try_all(closer, len(known) + len(closer))
    return _curve(known)


def _curve(known: dict[int, float]) -> Elbow:
    numbers = sorted(known)
    return Elbow(tuple(numbers), tuple(known[number] for number in numbers))


def _spread(points: np.ndarray) -> float:
    return float(points.var(axis=0, dtype=np.float64).sum())


def _inertia(points: np.ndarray, draws: list[np.ndarray], groups: int, seed: int) -> float:
    if groups == 1:
        return _spread(points)
    fitted = (_fitted(one, groups, seed + at) for at, one in enumerate(draws))
    return sum(float(one.inertia_) for one in fitted) / sum(map(len, draws))


def _fitted(points: np.ndarray, groups: int, seed: int, tries: int = 3) -> MiniBatchKMeans:
    means = MiniBatchKMeans(groups, batch_size=_BATCH, n_init=tries, random_state=seed)
    return means.fit(points)


def k_means(points: np.ndarray, groups: int, seed: int) -> np.ndarray:
    """Divide points into groups around centres; there may be fewer where points are alike.

    Mini-batch k-means (Sculley, "Web-scale k-means clustering", WWW 2010). It begins with the
    groups of a sample along its principal components, the best of ten beginnings by k-means++.

    Returns
    -------
    ndarray of intp, shape (n,)
        The group of each, from 0.
    """
    rows = drawn(len(points), max(_SAMPLE, _MEMBERS * groups), seed)
    some = reduced(points[rows], _COMPONENTS, seed)
    first = _fitted(some, groups, seed, _TRIES if groups <= TRIED[-1] else 1).labels_
    if len(rows) < len(points):
        order = np.argsort(first, kind="stable")
        ends = np.cumsum(np.bincount(first))[:-1]
        parts = np.split(points[rows[order]], ends)
        centres = np.stack([part.mean(axis=0) for part in parts if len(part)])
        means = MiniBatchKMeans(
            len(centres), init=centres, n_init=1, batch_size=_BATCH, random_state=seed
        )
        first = means.fit(points).labels_
    return np.unique(first, return_inverse=True)[1].astype(np.intp)
