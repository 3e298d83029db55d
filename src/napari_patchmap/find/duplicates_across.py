"""What is said of patches that two sets share: does a test set hold training images?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.find.described import Described
from napari_patchmap.find.duplicate_list import GROUP, SCORE, Doubles
from napari_patchmap.find.duplicate_words import SAME, differences
from napari_patchmap.find.search import INDEX, OTHER, THERE, FindInput, Found


def found_across(
    given: FindInput,
    other: FindInput,
    of: Described | None,
    doubles: Doubles,
    stopped: bool = False,
) -> Found:
    """Put groups of patches of two sets into columns of the first, a list and lines.

    Parameters
    ----------
    given, other : FindInput
    of : Described, optional
        Of both, those of the other after the first; None where reading was stopped.
    doubles : Doubles
    stopped : bool
    """
    count = len(given)
    pairs, number = [np.empty((0, 2), np.intp)], []
    for k, group in enumerate(doubles.groups):
        mine, theirs = group[group < count], group[group >= count]
        if len(mine) and len(theirs):
            pairs.append(np.stack([np.full(len(mine), theirs[0]), mine], axis=1))
            number += [k] * len(mine)
    both = np.concatenate(pairs)
    scores, reasons = np.empty(0, np.float32), np.empty(0, object)
    if of is not None and len(both):
        same = of.content[both[:, 0]] == of.content[both[:, 1]]
        scores, reasons = differences(of, both, same)
    own, there = both[:, 1], both[:, 0] - count
    named = [_labels(given)[own], _labels(other)[there]]
    listed = pd.DataFrame(
        {
            INDEX: own,
            "source": _names(given)[own],
            OTHER: _names(other)[there],
            THERE: there,
            "group": [f"duplicates {one + 1}" for one in pd.factorize(np.array(number))[0]],
            "score": scores,
            "reason": reasons,
            "label": named[0],
            "label there": named[1],
            "labels differ": (named[0] != named[1]) & (named[0] != "") & (named[1] != ""),
        }
    )
    order = ["labels differ", "score"]
    listed = listed.sort_values(order, ascending=False, kind="stable", ignore_index=True)
    group = np.full(count, "", object)
    score = np.full(count, np.nan, np.float32)
    group[listed[INDEX]] = listed["group"]
    score[listed[INDEX]] = listed["score"]
    report = {
        "n": count,
        "against": len(other),
        "shared": len(listed),
        "same pixels": int((listed["reason"] == SAME).sum()),
        "labels differ": int(listed["labels differ"].sum()),
    }
    lines = _lines(report, stopped or doubles.stopped)
    return Found({GROUP: group, SCORE: score}, listed, report, lines)


def _labels(of: FindInput) -> np.ndarray:
    return np.full(len(of), "", object) if of.labels is None else of.labels


def _names(of: FindInput) -> np.ndarray:
    """Name patches by their file, and which plane of it they are where it has several."""
    source, frame = of.table["source"].astype(str), of.table["frame"].to_numpy()
    several = source.duplicated(keep=False).to_numpy()
    names = [
        f"{one} [{at}]" if more else one
        for one, at, more in zip(source, frame.tolist(), several.tolist(), strict=True)
    ]
    return np.array(names, object)


def _lines(report: dict[str, Any], stopped: bool) -> tuple[str, ...]:
    lines = ["Stopped; this is what was found so far."] if stopped else []
    lines.append(
        f"{report['shared']:,} of {report['n']:,} patches are among the {report['against']:,} "
        f"others as well, {report['same pixels']:,} with the same pixels."
    )
    if report["labels differ"]:
        lines.append(f"{report['labels differ']:,} of them have another label there.")
    return tuple(lines)
