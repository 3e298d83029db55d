"""A few patches that stand for all, or as many of each kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from napari_patchmap.errors import FindError
from napari_patchmap.explore.text_codes import text_codes
from napari_patchmap.few_names import some_of
from napari_patchmap.find.group_report import GROUP
from napari_patchmap.find.sampling import farthest_points, grid_points, shares
from napari_patchmap.find.search import INDEX, FindInput, Found, Search, found_column
from napari_patchmap.find.space import Space, points_of
from napari_patchmap.patches.watch import Watch
from napari_patchmap.settings import Config, setting

#: Name of the column: the rank of each that is chosen.
REPRESENTATIVE = "representative"

#: More different values than this name single patches rather than kinds.
_MOST_VALUES = 5_000

WAYS = {
    "farthest": "the farthest each time",
    "groups": "by group",
    "column": "by values of a column",
    "grid": "evenly on the map",
}


@dataclass(frozen=True)
class RepresentativeConfig(Config):
    """How patches are chosen."""

    count: int = setting(
        100, "How many patches are chosen.", low=1, high=100_000, unit="patches", label="Number"
    )
    how: Literal["farthest", "groups", "column", "grid"] = setting(
        "farthest", "How they are chosen: each as far as possible from those before, which "
        "covers all there is and takes odd ones first; some of each group that was found; some "
        "of each value of a column, such as the label; or of each cell of a grid over the map.",
        titles=WAYS, label="Choose",
    )  # fmt: skip
    of: Space = setting(
        "features", "What patches are compared by: the features of the network, or the map.",
        label="Cover",
    )  # fmt: skip
    column: str = setting(
        "label", "By values of a column: which column; a text column, or one with few numbers."
    )
    share: Literal["same", "proportional"] = setting(
        "same", "Of groups and values: the same number of each (balanced), or by their sizes.",
        titles={"same": "the same number of each", "proportional": "by their sizes"},
    )  # fmt: skip
    within: Literal["random", "typical"] = setting(
        "random", "Within a group or value: drawn at random, or those nearest to its middle.",
        titles={"random": "at random", "typical": "the most typical"}, rare=True,
    )  # fmt: skip
    seed: int = setting(
        0, "Number that fixes what is drawn by chance.", low=0, high=2**31 - 1, rare=True
    )


def find_representative(given: FindInput, config: RepresentativeConfig, watch: Watch) -> Found:
    """Choose patches that stand for all.

    The column ``representative`` has the rank of each chosen patch, from 1. They are listed in
    this order: the first so many are as well chosen as all.

    Raises
    ------
    FindError
        If there are no features, too few patches, or no such groups or column.
    """
    if config.how == "farthest":
        return _farthest(given, config, watch)
    if config.how == "grid":
        return _on_grid(given, config)
    return _of_kinds(given, config)


def _farthest(given: FindInput, config: RepresentativeConfig, watch: Watch) -> Found:
    points = points_of(given, config.of)
    told = watch.telling(lambda known: _found(given, config, known[0], apart=known[1]))
    rows, apart, radius = farthest_points(points, config.count, watch=told)
    lines = []
    if len(rows) < config.count and not watch.stops:
        lines.append(_too_few(len(rows), len(points), config))
    else:
        usual = _usual_distance(points, config.seed)
        lines.append(
            f"No patch is farther than {radius:.3g} from the nearest of them; two patches "
            f"drawn at random are {usual:.3g} apart."
        )
    lines.append(
        "Those that are like no others come first: look at them, they may be artefacts."
    )
    return _found(given, config, rows, lines, apart=apart, report={"radius": radius})


def _too_few(there: int, count: int, config: RepresentativeConfig) -> str:
    """Say why no more patches were chosen than there are different ones."""
    asked = f"{config.count:,} were asked for, but"
    if there == count:
        return f"{asked} there are only {count:,} patches."
    by = "by their features" if config.of == "features" else "in their place on the map"
    return f"{asked} only {there:,} patches differ {by}; the others are the same as these."


def _usual_distance(points: np.ndarray, seed: int) -> float:
    pairs = np.random.default_rng(seed).integers(len(points), size=(2, 2_000))
    return float(np.median(np.linalg.norm(points[pairs[0]] - points[pairs[1]], axis=1)))


def _on_grid(given: FindInput, config: RepresentativeConfig) -> Found:
    places = points_of(given, "map")
    rows = grid_points(places, config.count)
    rows = np.random.default_rng(config.seed).permutation(rows)
    more = farthest_points(places, config.count - len(rows), rows)[0]
    lines = [f"{len(rows):,} are in the middles of cells of a grid over the map."]
    if len(more):
        lines.append(f"{len(more):,} more are farthest from those on the map.")
    if len(rows) + len(more) < config.count:
        lines.append(_too_few(len(rows) + len(more), len(places), config.replace(of="map")))
    return _found(given, config, [*rows, *more], lines, report={"cells": len(rows)})


def _of_kinds(given: FindInput, config: RepresentativeConfig) -> Found:
    """Choose some of each group or value, in turn."""
    column, codes, texts = _kinds(given, config)
    points = None if config.within == "random" else points_of(given, config.of)
    rows = np.flatnonzero(codes >= 0)
    kinds, sizes = np.unique(codes[rows], return_counts=True)
    balanced = config.share == "same"
    counts = shares(sizes, config.count, not balanced)
    random = np.random.default_rng(config.seed)
    chosen, turns = [], []
    for kind, count in zip(kinds.tolist(), counts.tolist(), strict=True):
        members = np.flatnonzero(codes == kind)
        if points is None:
            some = random.choice(members, count, replace=False)
        else:
            middle = points[members].mean(axis=0, dtype=np.float64)
            apart = np.linalg.norm(points[members] - middle, axis=1)
            some = members[np.argsort(apart, kind="stable")[:count]]
        chosen.append(some)
        turn = np.arange(count)
        turns.append(turn if balanced else (turn + 0.5) / max(count, 1))
    order = np.argsort(np.concatenate(turns), kind="stable")
    all_rows = np.concatenate(chosen)[order]
    names = [texts[code] for code in codes[all_rows]]
    few, many = int(counts.min()), int(counts.max())
    each = f"{few:,}" if few == many else f"{few:,} to {many:,}"
    lines = [f"{each} of each of {len(kinds):,} values of {column}."]
    short = [texts[k] for k, n, c in zip(kinds, sizes, counts, strict=True) if n == c < many]
    if balanced and short:
        lines.append(f"All there are, for they have fewer: {some_of(short)}.")
    if len(rows) < config.count:
        lines.append(f"{config.count:,} were asked for, but only {len(rows):,} have a value.")
    if len(rows) < len(codes):
        lines.append(f"{len(codes) - len(rows):,} patches without a value were left out.")
    report = {
        "column": column,
        "values": {texts[k]: int(c) for k, c in zip(kinds, counts, strict=True)},
    }
    return _found(given, config, all_rows, lines, names=names, report=report)


def _kinds(given: FindInput, config: RepresentativeConfig) -> tuple[str, np.ndarray, list[str]]:
    """Return the column, and which of the texts each patch has, -1 for none."""
    column = found_column(GROUP) if config.how == "groups" else config.column
    if config.how == "groups" and column not in given.table:
        raise FindError(
            "No groups have been found yet: find groups first, or choose in another way."
        )
    if column not in given.table:
        known = ", ".join(map(str, given.table.columns))
        raise FindError(f"There is no column {column}; choose one of {known}.")
    codes, texts = text_codes(given.table[column])
    if len(texts) > _MOST_VALUES:
        raise FindError(
            f"The column {column} has {len(texts) - 1:,} different values, too many to take "
            "some of each; choose one with fewer."
        )
    empty = texts.index("")
    found = np.where(codes == empty, -1, codes)
    if (found < 0).all():
        raise FindError(f"The column {column} is empty; choose another one.")
    return column, found, texts


def _found(
    given: FindInput,
    config: RepresentativeConfig,
    rows: Any,
    lines: Any = (),
    *,
    names: Any = "",
    apart: Any = np.nan,
    report: dict[str, Any] | None = None,
) -> Found:
    rank = np.full(len(given), np.nan, np.float32)
    rank[np.asarray(rows, np.intp)] = np.arange(1, len(rows) + 1)
    listed = pd.DataFrame(
        {INDEX: np.asarray(rows, np.intp), "rank": np.arange(1, len(rows) + 1)}
    )
    listed[GROUP] = names
    listed["distance"] = apart
    first = f"{len(rows):,} of {len(given):,} patches, {WAYS[config.how]}."
    whole = {"how": config.how, "chosen": len(rows), "patches": len(given), **(report or {})}
    return Found({REPRESENTATIVE: rank}, listed, whole, (first, *lines))


SAMPLES = Search(
    key="representative",
    title="Representative patches",
    question="Which few patches stand for all?",
    config=RepresentativeConfig,
    find=find_representative,
    help="Chosen are patches that cover the features or the map: each the farthest from all "
    "before (Gonzalez 1985), or one of each cell of a grid over the map; or the same number, "
    "or a share, of each group or of each value of a column, for a balanced set to train or "
    "test with.",
)
