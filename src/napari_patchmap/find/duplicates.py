"""Duplicates: patches that show the same, whatever happened to their pixels on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from napari_patchmap.errors import FindError
from napari_patchmap.find.described import Described
from napari_patchmap.find.duplicate_groups import grouped
from napari_patchmap.find.duplicate_list import Doubles, found_of
from napari_patchmap.find.duplicate_pairs import exact_groups, laid, proposed
from napari_patchmap.find.duplicates_across import found_across
from napari_patchmap.find.near_features import near_features
from napari_patchmap.find.search import FindInput, FindWatch, Found, Search
from napari_patchmap.settings import Config, setting

#: Shares of the time that reading, proposing, and comparing take, of 100.
_READ, _PROPOSE, _COMPARE = 25, 45, 28


@dataclass(frozen=True)
class DuplicatesConfig(Config):
    """How duplicates are looked for."""

    least: float = setting(
        0.97,
        "How alike two patches are at least, when turned, shifted and brightened to fit: "
        "unrelated cells reach about 0.95, 1 is the same pixels.",
        low=0.8, high=1.0, step=0.005, label="Alike from",
    )  # fmt: skip
    near: bool = setting(
        True,
        "Find copies that were turned, mirrored, shifted, brightened or compressed, too; "
        "otherwise only those with the same pixels.",
        label="Changed copies too",
    )


def find_duplicates(given: FindInput, config: DuplicatesConfig, watch: FindWatch) -> Found:
    """Find groups of patches that show the same.

    Raises
    ------
    FindError
        If there are neither images nor features.
    """
    if len(given) < 2:
        raise FindError("There is one patch only, and nothing that it could be a copy of.")
    if given.against is not None:
        return _across(given, given.against, config, watch)
    if given.patches is None:
        return _by_features(given)
    given = replace(given, features=_usable(given.features))
    of = Described.of(given, None, lambda done, total: watch(None, _READ * done // total, 100))
    if of is None:
        return found_of(given, None, Doubles([]), stopped=True)
    if not of.pictures.there.any():
        return _by_features(given)
    doubles = compare(of, config, lambda so_far, done: watch(
        None if so_far is None else found_of(given, of, so_far), done, 100
    ))  # fmt: skip
    return found_of(given, of, doubles)


def _across(
    given: FindInput, other: FindInput, config: DuplicatesConfig, watch: FindWatch
) -> Found:
    """Find the patches of a set that a second set has, too."""
    if given.patches is None or other.patches is None:
        raise FindError("Whether two sets share images is decided by their pixels; open both.")
    half = _READ // 2
    mine = Described.of(given, None, lambda k, n: watch(None, half * k // n, 100))
    side = None if mine is None else mine.pictures.side
    theirs = mine and Described.of(
        other, side, lambda k, n: watch(None, half + half * k // n, 100)
    )
    if mine is None or theirs is None:
        return found_across(given, other, None, Doubles([]), stopped=True)
    both = mine.beside(theirs)
    doubles = compare(both, config, lambda so_far, done: watch(
        None if so_far is None else found_across(given, other, both, so_far), done, 100
    ))  # fmt: skip
    return found_across(given, other, both, doubles)


def compare(
    of: Described, config: DuplicatesConfig, tell: Callable[[Doubles | None, int], bool]
) -> Doubles:
    """Find the groups of patches that show the same, of one set or in one and another.

    Parameters
    ----------
    of : Described
    config : DuplicatesConfig
    tell : callable
        Told what is known so far, where it is more than before, and how many per cent of the
        work are done; True ends it.
    """
    exact, overlapping = exact_groups(of)
    doubles = Doubles(exact, overlapping)
    if tell(doubles, _READ):
        return replace(doubles, stopped=True)
    if not config.near:
        return doubles
    # Of the same pixels one stands for all; what is flat is like everything by chance.
    again = np.concatenate([np.empty(0, np.intp), *(group[1:] for group in exact)])
    rows = np.setdiff1d(np.flatnonzero(of.pictures.there & ~of.flat), again)
    if len(rows) < 2:
        return doubles
    stopped = False

    def ended(done: float) -> bool:
        nonlocal stopped
        stopped = stopped or tell(None, int(done))
        return stopped

    likely, overlapping = proposed(of, rows, lambda k, n: ended(_READ + _PROPOSE * k / n))
    kept, scores = [likely[:0]], [np.empty(0, np.float32)]
    if not stopped:
        begun = _READ + _PROPOSE
        for k, (part, found) in enumerate(laid(of, likely)):
            good = found >= config.least
            kept.append(part[good])
            scores.append(found[good])
            if ended(begun + _COMPARE * min(1.0, (k + 1) * len(part) / len(likely))):
                break
    near = grouped(
        of, rows, np.concatenate(kept), np.concatenate(scores), config.least, lambda: stopped
    )
    return doubles.joined(near, overlapping, stopped)


def _usable(features: np.ndarray | None) -> np.ndarray | None:
    """Return features by which copies can be proposed, None where they say nothing."""
    if features is None or not features.shape[1] or not np.isfinite(features).all():
        return None
    return features if (features != features[0]).any() else None


def _by_features(given: FindInput) -> Found:
    """Say which patches are so near by their features that they may be duplicates."""
    pairs = near_features(given.usable_features(), given.metric)
    return found_of(given, None, Doubles([], 0, undecided=pairs))


DUPLICATES = Search(
    key="duplicates",
    title="Duplicates",
    question="Which patches show the same?",
    config=DuplicatesConfig,
    find=find_duplicates,
    of_labels=True,
    help="Patches with the same pixels, and copies that were turned, mirrored, shifted, "
    "brightened, compressed or have noise. What may be a copy is proposed by the features and "
    "by the spectrum of each picture; whether it is one is decided by the pixels, laid on each "
    "other. Tiles that overlap in their image are told apart by their place.",
    across=True,
)
