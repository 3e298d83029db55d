"""Classes for the patches that nobody has annotated yet, from those that somebody has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from napari_patchmap.errors import SuggestionError
from napari_patchmap.explore.cross_check import (
    CrossCheck,
    cross_check,
    probabilities,
    steps_of,
)
from napari_patchmap.explore.feature_rows import (
    check_features,
    in_parts,
    middle_and_scale,
    part_rows,
    rows_of,
)
from napari_patchmap.few_names import and_more
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.percent import percent

#: Annotated patches that are learned from at most; more hardly made suggestions better.
_LEARNED = 2000

#: A class with fewer annotated patches is named in the warning.
FEW = 10


@dataclass(frozen=True, eq=False)
class Suggestions:
    """A class for each patch, how sure that is, and how good the suggestions are.

    Parameters
    ----------
    codes : ndarray of int16, shape (n,)
        Suggested class of each patch. For annotated ones, where they were cross-validated,
        what was said while they were not learned from: another class there may be a
        mistake in the annotation.
    confidence : ndarray of float32, shape (n,)
        Probability that the suggestion is right, 0 to 1, as far as the annotated patches
        are like the others.
    margin : ndarray of float32, shape (n,)
        How much more probable it is than the next class, 0 to 1.
    classes : tuple of str
        Names of all classes; codes count them from 0.
    method : str
        The classifier that was chosen, in words.
    score, low, high : float
        Balanced accuracy of held-out patches, 0 to 1, and its 95 % interval.
    expected : float
        Mean confidence of the patches without an annotation, 0 to 1. The annotated ones
        may be easier, as a lasso takes those that are alike, or harder, as those that are
        asked for; what of the others is right lies mostly between the two. NaN without any.
    chance : float
        Balanced accuracy of guessing.
    checked : int
        Patches that the score was measured on.
    recalls : dict of str to (float, int)
        Of each class that is suggested the share of held-out patches that were recognised,
        and how many there were.
    splits : str
        How patches were held out, in words.
    sentence : str
        All of this for people.
    warnings : tuple of str
        What to be careful about, in sentences.
    """

    codes: np.ndarray
    confidence: np.ndarray
    margin: np.ndarray
    classes: tuple[str, ...]
    method: str
    score: float
    low: float
    high: float
    expected: float
    chance: float
    checked: int
    recalls: dict[str, tuple[float, int]]
    splits: str
    sentence: str
    warnings: tuple[str, ...]

    @property
    def better_than_chance(self) -> bool:
        """Whether the whole interval of the score is above that of guessing."""
        return self.low > self.chance


def suggest(
    features: np.ndarray,
    codes: np.ndarray,
    classes: Sequence[str],
    watch: Watch = UNWATCHED,
    seed: int = 0,
    unseen: np.ndarray | None = None,
) -> Suggestions:
    """Suggest a class for each patch, from those that are annotated.

    Linear discriminants, logistic regression and nearest neighbours on the features are
    compared by cross-validation, and the best says what it makes of all patches.

    Parameters
    ----------
    features : ndarray of float16 or float32, shape (n, d)
        Read in parts; may be a memory map.
    codes : ndarray of int, shape (n,)
        Class of each patch, -1 where it is not annotated. Patches with the same features
        and class count once, and classes need two different ones to take part.
    classes : sequence of str
        Their names; code i is class i.
    watch : Watch, optional
        Progress and the way out.
    seed : int
    unseen : ndarray of bool, shape (n,), optional
        Patches that have a class because it was suggested, as far as nobody looked at them.
        They are not learned from, for they would only confirm what was suggested; but for
        classes that have hardly any others.

    Raises
    ------
    SuggestionError
        If there are not two classes to tell apart, or the features are missing, of other
        patches, not finite, or all the same.
    LoadCancelled
        If the watch says so.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_patchmap.explore.suggest import suggest
    >>> features = np.random.default_rng(0).normal(size=(200, 16)).astype(np.float32)
    >>> features[100:] += 3
    >>> codes = np.full(200, -1, np.int16)
    >>> codes[[0, 1, 2, 197, 198, 199]] = [0, 0, 0, 1, 1, 1]
    >>> found = suggest(features, codes, ["round", "long"])
    >>> (found.codes[:100] == 0).all(), (found.codes[100:] == 1).all()
    (np.True_, np.True_)
    """
    codes, names = np.asarray(codes), tuple(classes)
    check_features(features, len(codes))
    if codes.max(initial=-1) >= len(names):
        raise SuggestionError(
            f"There are annotations of class {int(codes.max()) + 1}, but only {len(names)} "
            "class(es); open the annotations again."
        )
    all_codes = codes
    if unseen is not None:
        codes = _without_unseen(codes, np.asarray(unseen))
    middle, scale = middle_and_scale(features)
    rows, x = _distinct(features, codes, middle, scale)
    counts = np.bincount(codes[rows], minlength=len(names))
    used = np.flatnonzero(counts >= 2)
    if len(used) < 2:
        raise SuggestionError(_too_few(names, counts))
    if not np.ptp(x, axis=0).any():
        raise SuggestionError(
            "The features of all annotated patches are the same, so nothing tells their "
            "classes apart; train the network longer, or annotate other patches."
        )
    some = np.isin(codes[rows], used)
    rows, x = rows[some], x[some]
    y = np.searchsorted(used, codes[rows])
    kept = _at_most(y, _LEARNED, np.random.default_rng(seed))
    rows, x, y = rows[kept], x[kept], y[kept]
    fits = steps_of(y)
    total = fits + -(-len(features) // part_rows(features))
    # Of products as small as these, threads spend most of the time waiting for each other.
    with threadpool_limits(1):
        check = cross_check(x, y, seed, lambda done: watch.step(done, total))
        classify = check.chosen.fit(x, y)
    found = np.empty(len(codes), np.int16)
    confidence, margin = np.empty(len(codes), np.float32), np.empty(len(codes), np.float32)

    def note(where: slice | np.ndarray, logits: np.ndarray) -> None:
        shares = probabilities(logits, check.temperature)
        best = shares.argmax(axis=1)
        top = np.partition(shares, -2, axis=1)[:, -2:]
        found[where], confidence[where] = used[best], top[:, 1]
        margin[where] = top[:, 1] - top[:, 0]

    for part, values in in_parts(features, watch, fits, total):
        values -= middle
        values /= scale
        note(part, classify(values))
    note(rows, check.logits)
    watch.step(total, total)
    others = confidence[all_codes < 0]
    expected = float(others.mean()) if len(others) else np.nan
    left_out = int((codes != all_codes).sum())
    said = [*_expected(check, expected, len(others)), *_left_out(left_out)]
    warnings = _warnings(names, counts, used, check)
    low, high = check.interval
    return Suggestions(
        found, confidence, margin, names,
        method=check.chosen.name, score=check.score, low=low, high=high, expected=expected,
        chance=1 / len(used), checked=len(rows),
        recalls={
            names[k]: (float(recall), int(count))
            for k, recall, count in zip(used, check.recalls, check.counts, strict=True)
        },
        splits=_splits(check),
        sentence=" ".join([_sentence(check), *said, *warnings]), warnings=warnings,
    )  # fmt: skip


def _distinct(
    features: np.ndarray, codes: np.ndarray, middle: np.ndarray, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return annotated patches, those alike in class and features once, and their features.

    A copy of a patch that is learned from would be recognised whatever is learned.
    """
    rows = np.flatnonzero(codes >= 0)
    x = rows_of(features, rows)
    both = np.column_stack([x, codes[rows].astype(np.float32)])
    first = np.sort(np.unique(both, axis=0, return_index=True)[1])
    return rows[first], (x[first] - middle) / np.float32(scale)


def _without_unseen(codes: np.ndarray, unseen: np.ndarray) -> np.ndarray:
    """Take the class of patches away that nobody looked at, if others have it."""
    unseen, classes = unseen & (codes >= 0), int(codes.max(initial=0)) + 1
    by_hand = np.bincount(codes[(codes >= 0) & ~unseen], minlength=classes)
    return np.where(unseen & (by_hand[codes] >= 2), codes.dtype.type(-1), codes)


def _at_most(y: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Return at most so many row numbers, taken from the largest classes first."""
    if len(y) <= most:
        return np.arange(len(y))
    counts = np.sort(np.bincount(y))
    left, limit = most, 0
    for number, count in enumerate(counts):
        limit = left // (len(counts) - number)
        if count > limit:
            break
        left -= count
    kept = [
        own if len(own) <= limit else rng.choice(own, limit, replace=False)
        for own in (np.flatnonzero(y == k) for k in range(len(counts)))
    ]
    return np.sort(np.concatenate(kept))


def _too_few(names: Sequence[str], counts: np.ndarray) -> str:
    there = [f"{name} {count:,}" for name, count in zip(names, counts, strict=True) if count]
    so_far = f"so far: {', '.join(there)}" if there else "so far there are none"
    return (
        "Suggestions need two classes with two annotated patches each, better three "
        f"({so_far}; copies count once); annotate more."
    )


def _sentence(check: CrossCheck) -> str:
    low, high = check.interval
    name = check.chosen.name
    return (
        f"{name[:1].upper()}{name[1:]} on {int(check.counts.sum()):,} annotated patches: "
        f"balanced accuracy {percent(check.score)} held out (95 % interval {100 * low:.0f} to "
        f"{percent(high)}, guessing {percent(1 / len(check.counts))})."
    )


def _splits(check: CrossCheck) -> str:
    again = f"{check.repeats} times " if check.repeats > 1 else ""
    return f"{again}{check.folds}-fold cross-validation"


def _expected(check: CrossCheck, expected: float, count: int) -> list[str]:
    """Say how many of the patches that are not annotated may be right."""
    if not count:
        return []
    low, high = sorted([round(100 * expected), round(100 * check.interval[1])])
    share = f"{low} to {high} %" if low < high else f"{low} %"
    return [f"Of the {count:,} others {share} may be right."]


def _left_out(count: int) -> list[str]:
    return [f"{count:,} accepted unseen are not learned from."] if count else []


def _warnings(
    names: Sequence[str], counts: np.ndarray, used: np.ndarray, check: CrossCheck
) -> tuple[str, ...]:
    found = []
    if check.interval[0] <= 1 / len(used):
        found.append(
            "That is not surely better than guessing: annotate more patches, or check whether "
            "the classes can be told apart by their looks."
        )
    few = [f"{names[k]} {counts[k]}" for k in used.tolist() if counts[k] < FEW]
    if few:
        found.append(f"Shaky, for there are few: {and_more(few, 3)}.")
    single = [names[k] for k in np.flatnonzero(counts == 1).tolist()]
    if single:
        found.append(
            f"Not suggested, for there is only one annotated patch each: {and_more(single, 5)}."
        )
    return tuple(found)
