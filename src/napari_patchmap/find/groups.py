"""Groups of alike patches: which there are, and how many."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from napari_patchmap.errors import FindError
from napari_patchmap.find.dense_groups import Dense, dense_parts, knit_groups
from napari_patchmap.find.group_report import GROUP, grouped, named_by_size
from napari_patchmap.find.k_means import Elbow, elbow, k_means
from napari_patchmap.find.search import INDEX, FindInput, Found, Search
from napari_patchmap.find.space import Space, points_of
from napari_patchmap.patches.watch import Watch
from napari_patchmap.percent import percent
from napari_patchmap.settings import Config, setting

#: Per cent of the time that finding the groups takes, roughly; describing them is the rest.
_FIND = 75

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


def find_groups(given: FindInput, config: GroupsConfig, watch: Watch) -> Found:
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
        codes, lines = _around_centres(points, config, about, watch.part(0, _FIND))
    else:
        codes, lines = _of_any_shape(points, config, about, watch.part(0, _FIND))
    names = named_by_size(codes)
    known = grouped(replace(given, patches=None), points, names, about, lines)
    if watch.ends(_FIND, 100, known) or given.patches is None:
        return known
    return grouped(given, points, names, about, lines, watch.part(_FIND, 100))


def _around_centres(
    points: np.ndarray, config: GroupsConfig, about: dict[str, Any], watch: Watch
) -> tuple[np.ndarray, tuple[str, ...]]:
    number, said = config.groups, ""
    if number is None:

        def so_far(known: Elbow) -> Found:
            tried = f"Tried 1 to {known.numbers[-1]} groups so far."
            return Found({}, _no_list(), {**about, "elbow": _as_numbers(known)}, (tried,))

        found = elbow(points, config.seed, watch.telling(so_far))
        number = found.suggested
        said = _said_of(found, number)
        about["elbow"] = _as_numbers(found)
    else:
        if 2 * number > len(points):
            raise FindError(
                f"{len(points):,} patches make no {number:,} groups of two or more; choose "
                "fewer groups."
            )
        watch.ends(0, 100)
    codes = k_means(points, number, config.seed)
    made = int(codes.max()) + 1
    first = f"{made:,} groups by k-means {_of(config.of)}."
    if made < number:
        said = f"{number:,} were asked for, but some centres have no patches near."
    return codes, tuple(line for line in (first, said) if line)


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
    points: np.ndarray, config: GroupsConfig, about: dict[str, Any], watch: Watch
) -> tuple[np.ndarray, tuple[str, ...]]:
    if config.method == "hdbscan":
        smallest = config.smallest or max(_LEAST, round(_SHARE * len(points)))
        found, called = dense_parts(points, smallest, config.seed, watch), "HDBSCAN"
        about["smallest"] = smallest
    else:
        found, called = knit_groups(points, config.resolution, config.seed, watch), "Leiden"
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
