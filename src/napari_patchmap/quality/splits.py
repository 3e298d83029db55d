"""Which patches are learned from and which are held out, again and again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

from napari_patchmap.errors import QualityError


@dataclass(frozen=True)
class SplitConfig:
    """How patches are held out.

    Parameters
    ----------
    share : float
        Of the patches, or of the groups, that are held out each time; between 0 and 1.
    repeats : int
        How often.

    Raises
    ------
    QualityError
        If one of them makes no sense.
    """

    share: float = 0.1
    repeats: int = 5

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise QualityError(
                f"{self.share:g} of the patches cannot be held out; choose a share between 0 "
                "and 1, such as 0.1."
            )
        if not 1 <= self.repeats <= 1000:
            raise QualityError(f"{self.repeats:,} repeats are no number from 1 to 1,000.")


def splits(
    count: int,
    config: SplitConfig,
    classes: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield rows to learn from and rows to be tested on, ``config.repeats`` times.

    Without groups they are drawn at random, so that each class keeps its share. Groups are
    never divided: as many as make the share, one at least, are held out whole, and none for
    the second time before each was held out once.

    Parameters
    ----------
    count : int
        Patches.
    config : SplitConfig
    classes, groups : ndarray, shape (count,), optional
        Class and group (patient, slide) of each patch.

    Raises
    ------
    QualityError
        If there are too few patches for each class to be on both sides, or one group only.
    """
    if groups is not None:
        yield from _of_groups(groups, config)
        return
    n_test = int(np.ceil(config.share * count))
    if classes is not None:
        names, members = np.unique(classes, return_counts=True)
        if members.min() < 2 or min(n_test, count - n_test) < len(names):
            raise QualityError(
                f"{count:,} patches are too few to hold out {100 * config.share:g} % of them "
                f"with each of {len(names):,} classes on both sides; choose another share."
            )
        drawn = StratifiedShuffleSplit(config.repeats, test_size=n_test, random_state=0)
        yield from drawn.split(np.zeros(count), classes)
        return
    if n_test >= count:
        raise QualityError(f"{count:,} patches are too few to hold some of them out.")
    yield from ShuffleSplit(config.repeats, test_size=n_test, random_state=0).split(
        np.zeros(count)
    )


def _of_groups(
    groups: np.ndarray, config: SplitConfig
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    names, codes = np.unique(groups, return_inverse=True)
    held = round(config.share * len(names)) or 1
    if len(names) < 2 or held >= len(names):
        raise QualityError(
            f"{len(names):,} {'group is' if len(names) == 1 else 'groups are'} too few to hold "
            f"out {100 * config.share:g} % of them."
        )
    rng = np.random.default_rng(0)
    waiting = np.empty(0, np.intp)
    for _ in range(config.repeats):
        if len(waiting) < held:
            others = np.setdiff1d(np.arange(len(names)), waiting)
            # Those that wait come again last, so that no draw has one of them twice.
            waiting = np.concatenate([waiting, rng.permutation(others), waiting])
        test = np.isin(codes, waiting[:held])
        waiting = waiting[held:]
        yield np.flatnonzero(~test), np.flatnonzero(test)
