"""Does a map show biology or the batch? What neighbours tell of a technical column."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from napari_patchmap.errors import QualityError
from napari_patchmap.quality.figure import AT_FIRST, FigureInput, refuse_useless
from napari_patchmap.quality.neighbourhood import nearest_features, nearest_on_map
from napari_patchmap.quality.voting import most_frequent

#: Neighbours that are asked; the same number as for labels.
ASKED = 15

#: Parts into which numbers are divided, and values up to which they are left as they are.
_PARTS, _FEW = 5, 12

#: What is measured along several directions has values beside the parts of the first.
OTHER = "another colour"

#: What parts of numbers are called.
_RANGE = re.compile(" to ".join([r"-?[\d.]+(?:e[+-]\d+)?"] * 2))

#: Batches at most: of more, hardly any patch has 15 neighbours of its own.
_MOST_BATCHES = 300

#: How often batches are shuffled to find out what chance does.
_SHUFFLES = 20

#: A batch is told more often than by chance from so many deviations on; of the room above
#: chance, this share is much, and this share is worth a word.
_SURE, _MUCH, _SOME = 4.0, 0.25, 0.05


def as_batches(values: pd.Series) -> np.ndarray:
    """Return the batch of each patch as text, "" where it is not known, (n,).

    Numbers of many values are divided into fifths.
    """
    missing = values.isna().to_numpy(bool)
    if is_numeric_dtype(values) and not is_bool_dtype(values):
        numbers = values.to_numpy(float, na_value=np.nan, copy=True)
        numbers[~np.isfinite(numbers)] = np.nan
        missing = missing | np.isnan(numbers)
        if len(np.unique(numbers[~missing])) > _FEW:
            steps = np.linspace(0, 1, _PARTS + 1)
            edges = np.unique(np.nanquantile(numbers, steps))
            if len(edges) < 3:  # nearly all are equal
                edges = np.quantile(np.unique(numbers[~missing]), steps)
            place = np.clip(np.searchsorted(edges, numbers, "right") - 1, 0, len(edges) - 2)
            names = [f"{a:.3g} to {b:.3g}" for a, b in pairwise(edges)]  # see _RANGE
            return np.where(missing, "", np.array([*names, ""])[np.where(missing, -1, place)])
    return np.where(missing, "", values.astype(str).to_numpy(str))


def in_order(batches: np.ndarray) -> pd.Series:
    """Return batches as they are to be listed: parts of numbers from low to high."""
    names = np.unique(batches[batches != ""]).tolist()
    others = [name for name in names if name.startswith(OTHER)]
    names = [name for name in names if name not in others]
    if names and all(_RANGE.fullmatch(name) for name in names):
        names = [*sorted(names, key=lambda name: float(name.split()[0])), *others]
        known = [name or None for name in batches.tolist()]
        return pd.Series(pd.Categorical(known, names, ordered=True))
    return pd.Series(batches)


def batch_effect(given: FigureInput, batches: np.ndarray, column: str) -> dict[str, Any]:
    """Say whether neighbours tell of which batch a patch is, and whether biology tells more.

    Each patch is given the batch that most of its 15 nearest others have, on the map and
    among the features; that is compared with the same for shuffled batches. Where labels
    are known the robustness index stands beside it, after de Jong et al. (2025): of all
    pairs of neighbours those of one label and two batches, divided by those of two labels
    and one batch. Of more than 20,000 patches as many are asked.

    Parameters
    ----------
    given : FigureInput
        Labels may be "".
    batches : ndarray of str, shape (n,)
        "" where the batch is not known.
    column : str
        What the batches are, for sentences.

    Returns
    -------
    dict
        ``column``, ``n``, ``batches`` (patches of each), ``map`` and ``features`` (each
        ``accuracy``, ``chance``, ``chance_sd``; the latter None without features),
        ``robustness`` (``index``, None where it has no bound; ``index_by_chance``, that of
        shuffled batches; ``same_label_other_batch`` and ``other_label_same_batch``), None
        without labels, and ``said``: a sentence.

    Raises
    ------
    QualityError
        If there are not two batches, or too few patches.
    """
    keep = np.flatnonzero(batches != "")
    names, counts = np.unique(batches[keep], return_counts=True)
    if len(names) < 2:
        raise QualityError(f"{column} has one value only, so there is nothing to compare.")
    if len(names) > _MOST_BATCHES:
        raise QualityError(
            f"{column} has {len(names):,} values, too many for batches; choose a column of "
            f"{_MOST_BATCHES} at most."
        )
    if len(keep) <= 2 * ASKED:
        raise QualityError(
            f"{len(keep):,} patches with a value in {column} are too few to ask {ASKED} "
            "neighbours of each."
        )
    some = given.rows(keep)
    codes = np.searchsorted(names, batches[keep])
    rng = np.random.default_rng(0)
    rows = np.arange(len(keep))
    if len(rows) > AT_FIRST:
        rows = np.sort(rng.choice(len(rows), AT_FIRST, replace=False))
    on_map = nearest_on_map(np.asarray(some.embedding, np.float64), rows, ASKED)
    found: dict[str, Any] = {
        "column": column,
        "n": len(rows),
        "batches": {str(name): int(n) for name, n in zip(names, counts, strict=True)},
        "map": _told(codes, rows, on_map, rng),
        "features": None,
        "robustness": None,
    }
    if some.features is not None:
        refuse_useless(some.features)
        near = nearest_features(some.features, rows, ASKED, some.metric)
        found["features"] = _told(codes, rows, near, rng)
    labels = some.labels
    if labels is not None and len(set(labels) - {""}) > 1:
        found["robustness"] = _robustness(labels, codes, rows, on_map)
        mixed = _robustness(labels, rng.permutation(codes), rows, on_map)
        found["robustness"]["index_by_chance"] = mixed["index"]
    found["said"] = _said(found, None if labels is None else labels, codes)
    return found


def _told(
    codes: np.ndarray, rows: np.ndarray, near: np.ndarray, rng: np.random.Generator
) -> dict[str, float]:
    """How often most neighbours have a patch's batch, and how often by chance."""
    chance = []
    for _ in range(_SHUFFLES):
        mixed = rng.permutation(codes)
        chance.append((most_frequent(mixed[near]) == mixed[rows]).mean())
    return {
        "accuracy": float((most_frequent(codes[near]) == codes[rows]).mean()),
        "chance": float(np.mean(chance)),
        "chance_sd": float(np.std(chance, ddof=1)),
    }


def _robustness(
    labels: np.ndarray, codes: np.ndarray, rows: np.ndarray, near: np.ndarray
) -> dict[str, float | int | None]:
    known = (labels[rows, None] != "") & (labels[near] != "")
    same = labels[near] == labels[rows, None]
    together = codes[near] == codes[rows, None]
    biology = int((known & same & ~together).sum())
    batch = int((known & ~same & together).sum())
    return {
        "index": biology / batch if batch else None,
        "same_label_other_batch": biology,
        "other_label_same_batch": batch,
    }


def batch_lines(found: dict[str, Any]) -> list[str]:
    """Say what :func:`batch_effect` found in short lines, its sentence first."""
    lines = [found["said"]]
    for name, where in (("map", "on the map"), ("features", "among the features")):
        told = found[name]
        if told is not None:
            lines.append(
                f"{ASKED} neighbours {where} tell {found['column']} for "
                f"{100 * told['accuracy']:.1f} % of {found['n']:,} patches; by chance "
                f"{100 * told['chance']:.1f} ± {100 * told['chance_sd']:.1f} %"
            )
    index = found["robustness"]
    if index is not None and index["index"] is not None:
        chance = index["index_by_chance"]
        beside = "" if chance is None else f"; {chance:.2f} if {found['column']} did not matter"
        lines.append(
            f"Robustness index {index['index']:.2f}{beside} (above 1 labels bring patches "
            "together more often than batches do)"
        )
    return lines


def _said(found: dict[str, Any], labels: np.ndarray | None, codes: np.ndarray) -> str:
    """Say in a sentence or two what is to be made of it."""
    column, told = found["column"], found["map"]
    if labels is not None and _alike(labels, codes):
        return (
            f"{column} and the labels divide these patches in the same way, so that nobody can "
            "tell which of the two the map shows."
        )
    above = (told["accuracy"] - told["chance"]) / max(1e-9, 1 - told["chance"])
    sure = told["accuracy"] - told["chance"] > _SURE * max(told["chance_sd"], 1e-3)
    share, chance = 100 * told["accuracy"], 100 * told["chance"]
    numbers = f"for {share:.0f} % of the patches (by chance {chance:.0f} %)"
    if sure and above >= _MUCH:
        index = (found["robustness"] or {}).get("index")
        beside = ", though neighbours share a label more often" if index and index > 1 else ""
        return (
            f"Careful: neighbours on the map tell {column} {numbers}{beside}. Islands may be "
            f"parts of it and no biology: colour the map by {column}, and compare within it."
        )
    if sure and above >= _SOME:
        return (
            f"Neighbours on the map tell {column} {numbers}: somewhat more than they should if "
            "it did not matter."
        )
    return f"Neighbours on the map tell {column} {numbers}: it hardly shapes this map."


def _alike(labels: np.ndarray, codes: np.ndarray) -> bool:
    """Whether each label is of one batch and each batch of one label."""
    known = labels != ""
    pairs = pd.DataFrame({"label": labels[known], "batch": codes[known]}).drop_duplicates()
    return bool(pairs["label"].is_unique and pairs["batch"].is_unique and len(pairs) > 1)
