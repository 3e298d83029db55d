"""Duplicates: patches that show the same, whatever happened to their pixels on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from napari_patchmap.errors import FindError
from napari_patchmap.find.described import Described
from napari_patchmap.find.duplicate_groups import grouped
from napari_patchmap.find.duplicate_list import Doubles, found_of
from napari_patchmap.find.duplicate_pairs import LAID, exact_groups, laid, proposed
from napari_patchmap.find.duplicates_across import found_across
from napari_patchmap.find.near_features import near_features
from napari_patchmap.find.search import FindInput, Found, Search
from napari_patchmap.patches.watch import Watch
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


def find_duplicates(given: FindInput, config: DuplicatesConfig, watch: Watch) -> Found:
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
    of = Described.of(given, None, watch.part(0, _READ))
    if of is None:
        return found_of(given, None, Doubles([]), stopped=True)
    if not of.pictures.there.any():
        return _by_features(given)
    doubles = compare(of, config, watch.telling(lambda known: found_of(given, of, known)))
    return found_of(given, of, doubles)


def _across(
    given: FindInput, other: FindInput, config: DuplicatesConfig, watch: Watch
) -> Found:
    """Find the patches of a set that a second set has, too."""
    if given.patches is None or other.patches is None:
        raise FindError("Whether two sets share images is decided by their pixels; open both.")
    half = _READ / 2
    mine = Described.of(given, None, watch.part(0, half))
    side = None if mine is None else mine.pictures.side
    theirs = mine and Described.of(other, side, watch.part(half, _READ))
    if mine is None or theirs is None:
        return found_across(given, other, None, Doubles([]), stopped=True)
    both = mine.beside(theirs)
    doubles = compare(
        both, config, watch.telling(lambda known: found_across(given, other, both, known))
    )
    return found_across(given, other, both, doubles)


def compare(of: Described, config: DuplicatesConfig, watch: Watch) -> Doubles:
    """Find the groups of patches that show the same, of one set or in one and another.

    Parameters
    ----------
    of : Described
    config : DuplicatesConfig
    watch : Watch
        Told the :class:`Doubles` that are known so far.
    """
    exact, overlapping = exact_groups(of)
    doubles = Doubles(exact, overlapping)
    if watch.ends(_READ, 100, doubles):
        return replace(doubles, stopped=True)
    if not config.near:
        return doubles
    # Of the same pixels one stands for all; what is flat is like everything by chance.
    again = np.concatenate([np.empty(0, np.intp), *(group[1:] for group in exact)])
    rows = np.setdiff1d(np.flatnonzero(of.pictures.there & ~of.flat), again)
    if len(rows) < 2:
        return doubles
    begun = _READ + _PROPOSE
    likely, overlapping = proposed(of, rows, watch.part(_READ, begun))
    kept, scores = [likely[:0]], [np.empty(0, np.float32)]
    if not watch.stops:
        comparing = watch.part(begun, begun + _COMPARE)
        for k, (part, found) in enumerate(laid(of, likely)):
            good = found >= config.least
            kept.append(part[good])
            scores.append(found[good])
            if comparing.ends(min(len(likely), (k + 1) * LAID), len(likely)):
                break
    near = grouped(of, rows, np.concatenate(kept), np.concatenate(scores), config.least, watch)
    return doubles.joined(near, overlapping, watch.stops)


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
