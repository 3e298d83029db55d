"""Groups of alike patches: which there are, and how many."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from napari_patchmap.errors import FindError
from napari_patchmap.find.dense_groups import Dense, EndAsked, dense_parts, knit_groups
from napari_patchmap.find.group_report import GROUP, grouped, named_by_size
from napari_patchmap.find.k_means import Elbow, elbow, k_means
from napari_patchmap.find.search import INDEX, FindInput, FindWatch, Found, Search
from napari_patchmap.find.space import Space, points_of
from napari_patchmap.percent import percent
from napari_patchmap.settings import Config, setting

#: What takes how much of the time, roughly: finding the groups, and describing them.
_FIND, _DESCRIBE = 6, 2

#: A group is no smaller than this share of the patches, and this many, if nothing is said.
_SHARE, _LEAST = 0.005, 10

METHODS = {
    "k-means": "k-means (around centres)",
    "hdbscan": "HDBSCAN (dense parts, the rest is noise)",
    "leiden": "Leiden (closely knit neighbours)",
}


@dataclass(frozen=True)
class GroupsConfig(Config):
    """How groups are looked for."""

    method: Literal["k-means", "hdbscan", "leiden"] = setting(
        "k-means", "How groups are found. K-means divides all patches around centres; HDBSCAN "
        "finds parts that are denser than their surroundings and leaves the rest out; Leiden "
        "joins neighbours (it needs the package scikit-network).", titles=METHODS,
    )  # fmt: skip
    of: Space = setting(
        "features", "What patches are compared by: the features of the network, or the map.",
        label="Groups of",
    )  # fmt: skip
    groups: int | None = setting(
        None, "How many groups k-means makes; if nothing is said, where the curve of many "
        "numbers of groups bends.", low=2, high=5_000, label="Number",
    )  # fmt: skip
    smallest: int | None = setting(
        None, "Fewest patches of a group of HDBSCAN; if nothing is said, 0.5 % of all.",
        low=3, high=1_000_000, unit="patches", label="Smallest group", rare=True,
    )  # fmt: skip
    resolution: float = setting(
        1.0, "For Leiden: the larger, the more groups.", low=0.05, high=20, step=0.1, rare=True
    )
    seed: int = setting(
        0, "Number that fixes what is drawn by chance.", low=0, high=2**31 - 1, rare=True
    )


def find_groups(given: FindInput, config: GroupsConfig, watch: FindWatch) -> Found:
    """Find groups of alike patches.

    The column ``group`` says which each patch is in, "group 1" the largest, "" for none.
    Listed are the three patches nearest to the mean of each group. The report has for each
    its ``name``, ``size``, share ``pure`` of its most frequent ``label``,
    and what sets it ``apart``.

    Raises
    ------
    FindError
        If there are no features, too few patches or nothing that differs, or it was ended
        before there were groups.
    MissingPackageError
        If a method needs a package that is not installed.
    """
    points = points_of(given, config.of)
    about: dict[str, Any] = {"method": config.method, "of": config.of}
    if config.method == "k-means":
        codes, lines, ended = _around_centres(points, config, about, watch)
    else:
        ended = False
        codes, lines = _of_any_shape(
            points,
            config,
            about,
            lambda part: watch(None, int(100 * part * _FIND), 100 * (_FIND + _DESCRIBE)),
        )
    names = named_by_size(codes)
    done = about.pop("steps", _FIND)
    known = grouped(replace(given, patches=None), points, names, about, lines)
    ended = watch(known, done, done + _DESCRIBE) or ended
    if given.patches is None or ended:
        return known

    def enough() -> bool:
        return watch(known, done + 1, done + _DESCRIBE)

    return grouped(given, points, names, about, lines, enough)


def _around_centres(
    points: np.ndarray, config: GroupsConfig, about: dict[str, Any], watch: FindWatch
) -> tuple[np.ndarray, tuple[str, ...], bool]:
    ended, said = False, ""
    number = config.groups
    if number is None:

        def look(known: Elbow, done: int, total: int) -> bool:
            nonlocal ended
            about["elbow"] = _as_numbers(known)
            tried = f"Tried 1 to {known.numbers[-1]} groups so far."
            so_far = Found({}, _no_list(), dict(about), (tried,))
            ended = watch(so_far, done, total + _FIND + _DESCRIBE)
            return ended

        found = elbow(points, config.seed, look)
        number = found.suggested
        said = _said_of(found, number)
        about |= {"elbow": _as_numbers(found), "steps": len(found.numbers) + _FIND}
    else:
        if 2 * number > len(points):
            raise FindError(
                f"{len(points):,} patches make no {number:,} groups of two or more; choose "
                "fewer groups."
            )
        ended = watch(None, 0, _FIND + _DESCRIBE)
    codes = k_means(points, number, config.seed)
    made = int(codes.max()) + 1
    first = f"{made:,} groups by k-means {_of(config.of)}."
    if made < number:
        said = f"{number:,} were asked for, but some centres have no patches near."
    return codes, tuple(line for line in (first, said) if line), ended


def _said_of(found: Elbow, number: int) -> str:
    most = found.numbers[-1]
    explained = dict(zip(found.numbers, found.explained, strict=True)).get(number, 0.0)
    if found.bend == 1:
        return (
            f"The curve of 1 to {most} groups does not bend: perhaps nothing stands apart, and "
            f"{number} is no more than a number to begin with."
        )
    low, high = found.likely
    others = f"; {low} to {high} would do nearly as well" if low < high else ""
    return (
        f"The number is where the curve of 1 to {most} groups bends most (Kneedle){others}. "
        f"{percent(explained)} of the variance lies between the groups."
    )


def _as_numbers(found: Elbow) -> dict[str, Any]:
    return {
        "groups": list(found.numbers),
        "inertia": list(found.inertia),
        "explained": list(found.explained),
        "suggested": found.suggested,
        "likely": list(found.likely),
        "clear": found.bend > 1,
    }


def _of_any_shape(
    points: np.ndarray, config: GroupsConfig, about: dict[str, Any], ended: EndAsked
) -> tuple[np.ndarray, tuple[str, ...]]:
    if config.method == "hdbscan":
        smallest = config.smallest or max(_LEAST, round(_SHARE * len(points)))
        found, called = dense_parts(points, smallest, config.seed, ended), "HDBSCAN"
        about["smallest"] = smallest
    else:
        found, called = knit_groups(points, config.resolution, config.seed, ended), "Leiden"
    made = int(found.codes.max()) + 1
    lines = [f"{made:,} group{'s' if made != 1 else ''} by {called} {_of(config.of)}."]
    about["fitted"] = found.fitted
    return found.codes, (*lines, *_how(found, len(points)))


def _how(found: Dense, count: int) -> list[str]:
    lines = []
    if found.leaves:
        lines.append("Nearly all patches hang together, so these are the densest parts within.")
    if found.fitted < count:
        lines.append(
            f"They were found among {found.fitted:,} patches drawn by the seed; each of the "
            "others went with the nearest of these."
        )
    return lines


def _of(of: Space) -> str:
    return "of the features" if of == "features" else "of places on the map"


def _no_list() -> pd.DataFrame:
    return pd.DataFrame({INDEX: np.empty(0, np.intp), GROUP: np.empty(0, object)})


GROUPS = Search(
    key="groups",
    title="Groups",
    question="Which groups of alike patches are there?",
    config=GroupsConfig,
    find=find_groups,
    of_labels=True,
    help="Patches are divided by their features, or by the map. K-means (mini-batch) tries 1 "
    "to 60 groups and suggests the number where the curve bends most (Satopää et al. 2011); "
    "HDBSCAN (Campello et al. 2013) and Leiden (Traag et al. 2019) find the number by "
    "themselves. Each group is compared with the labels, if there are any, and with all other "
    "patches: by their columns and, where the images are at hand, by brightness, colour, "
    "contrast and size.",
)
