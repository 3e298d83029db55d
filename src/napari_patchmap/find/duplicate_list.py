"""What is said of duplicates: columns, the list of pairs in the order of looking, and lines."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.find.described import Described
from napari_patchmap.find.duplicate_words import SAME, UNDECIDED, differences
from napari_patchmap.find.near_features import near_features
from napari_patchmap.find.search import BESIDE, INDEX, FindInput, Found

#: The columns of the patches.
GROUP, SCORE = "duplicates", "duplicate score"


def _no_pairs() -> np.ndarray:
    return np.empty((0, 2), np.intp)


@dataclass(frozen=True, eq=False)
class Doubles:
    """Groups of patches that show the same.

    Parameters
    ----------
    groups : list of ndarray of int
        The members of each, the one that the others are compared with first.
    overlapping : int
        Pairs that were left out, for they overlap in their image.
    stopped : bool
    undecided : ndarray of int, shape (m, 2)
        Pairs that are near by their features, and have no pixels to be compared.
    """

    groups: list[np.ndarray]
    overlapping: int = 0
    stopped: bool = False
    undecided: np.ndarray = field(default_factory=_no_pairs)

    def joined(self, near: list[np.ndarray], overlapping: int, stopped: bool) -> Doubles:
        """Return these groups of the same pixels with groups of one of each and others."""
        left = {int(group[0]): group for group in self.groups}
        groups = []
        for group in near:
            alike = [left.pop(int(one), np.array([one])) for one in group]
            groups.append(np.concatenate(alike))
        groups += left.values()
        return replace(
            self, groups=groups, overlapping=self.overlapping + overlapping, stopped=stopped
        )


def found_of(
    given: FindInput, of: Described | None, doubles: Doubles, stopped: bool = False
) -> Found:
    """Put what was found into columns, a list and lines.

    Parameters
    ----------
    given : FindInput
    of : Described, optional
        None where there were no pixels.
    doubles : Doubles
    stopped : bool
    """
    listed = _listed(given, of, doubles)
    group = np.full(len(given), "", object)
    score = np.full(len(given), np.nan, np.float32)
    decided = listed[listed["score"].notna()]
    for name in (BESIDE, INDEX):
        rows = decided[name].to_numpy(np.intp)
        group[rows] = decided["group"]
        score[rows] = np.fmax(score[rows], decided["score"])
    if len(decided):
        # The one in the middle is as alike as the one that is most like it.
        best = decided.groupby(BESIDE)["score"].max()
        score[best.index.to_numpy(np.intp)] = best
    report = _report(given, of, doubles, listed)
    lines = _lines(report, of is None, stopped or doubles.stopped)
    return Found({GROUP: group, SCORE: score}, listed, report, lines)


def _listed(given: FindInput, of: Described | None, doubles: Doubles) -> pd.DataFrame:
    """List pairs: a member of a group, and the one in its middle beside it."""
    labels = given.labels
    sizes = np.array([len(group) - 1 for group in doubles.groups], np.intp)
    pairs = np.concatenate(
        [_no_pairs()]
        + [
            np.stack([np.repeat(group[0], len(group) - 1), group[1:]], axis=1)
            for group in doubles.groups
        ]
    )
    number = np.repeat(np.arange(len(sizes)), sizes)
    scores, reasons = np.empty(0, np.float32), np.empty(0, object)
    if of is not None and len(pairs):
        same = of.content[pairs[:, 0]] == of.content[pairs[:, 1]]
        scores, reasons = differences(of, pairs, same)
    undecided = _undecided(given, of, doubles)
    count = len(undecided)
    pairs = np.concatenate([pairs, undecided])
    number = np.r_[number, len(sizes) + np.arange(count)]
    scores = np.r_[scores, np.full(count, np.nan, np.float32)]
    reasons = np.r_[reasons, np.full(count, UNDECIDED, object)]
    differ = np.zeros(len(pairs), bool)
    named = np.full(pairs.shape, "", object) if labels is None else labels[pairs]
    differ = (named[:, 0] != named[:, 1]) & (named != "").all(axis=1)
    listed = pd.DataFrame(
        {
            INDEX: pairs[:, 1],
            BESIDE: pairs[:, 0],
            "group": number,
            "score": scores,
            "reason": reasons,
            "label": named[:, 1],
            "label beside": named[:, 0],
            "labels differ": differ,
        }
    )
    return _in_order(listed)


def _undecided(given: FindInput, of: Described | None, doubles: Doubles) -> np.ndarray:
    """Return pairs of which one at least has no pixels, and which are near by features."""
    if of is None or of.pictures.there.all() or doubles.stopped or given.features is None:
        return doubles.undecided
    return near_features(given.features, given.metric, ~of.pictures.there)


def _in_order(listed: pd.DataFrame) -> pd.DataFrame:
    """Sort groups: those whose labels differ, the same pixels, then the most alike."""
    by = listed.groupby("group", sort=False)
    keys = pd.DataFrame(
        {
            "open": listed["score"].isna(),
            "differ": ~by["labels differ"].transform("any").astype(bool),
            "same": ~by["reason"].transform(lambda words: (words == SAME).any()).astype(bool),
            "best": -by["score"].transform("max"),
            "group": listed["group"],
            "own": ~listed["labels differ"],
            "score": -listed["score"],
        }
    )
    listed = listed.loc[keys.sort_values(keys.columns.tolist(), kind="stable").index]
    decided = listed["score"].notna().to_numpy()
    place = pd.factorize(listed["group"])[0] + 1
    listed["group"] = np.where(decided, [f"duplicates {one}" for one in place], "")
    return listed.reset_index(drop=True)


def _report(
    given: FindInput, of: Described | None, doubles: Doubles, listed: pd.DataFrame
) -> dict[str, Any]:
    decided = listed[listed["score"].notna()]
    differing = decided.loc[decided["labels differ"], "group"]
    return {
        "n": len(given),
        "groups": len(doubles.groups),
        "patches": sum(len(group) for group in doubles.groups),
        "largest": max((len(group) for group in doubles.groups), default=0),
        "same pixels": int((decided["reason"] == SAME).sum()),
        "labels differ": int(differing.nunique()),
        "overlapping": doubles.overlapping,
        "flat": 0 if of is None else int((of.flat & of.pictures.there).sum()),
        "no image": len(given) if of is None else int((~of.pictures.there).sum()),
        "not decided": len(listed) - len(decided),
    }


def _lines(report: dict[str, Any], blind: bool, stopped: bool) -> tuple[str, ...]:
    n, groups, patches = report["n"], report["groups"], report["patches"]
    lines = []
    if blind and not stopped:
        lines.append(
            f"The images are not there, so nothing is decided: {report['not decided']:,} pairs "
            "are nearer by their features than others are."
        )
    elif not groups:
        lines.append(f"No two of {n:,} patches show the same.")
    else:
        lines.append(
            f"{patches:,} of {n:,} patches are in {groups:,} groups that show the same, "
            f"{report['same pixels']:,} of them with the pixels of another."
        )
    if report["labels differ"]:
        count = report["labels differ"]
        lines.append(f"In {count:,} {'group' if count == 1 else 'groups'} the labels differ.")
    if report["overlapping"]:
        lines.append(
            f"{report['overlapping']:,} pairs overlap in their image; they are no duplicates "
            "and are not listed."
        )
    if report["flat"]:
        lines.append(f"{report['flat']:,} patches are empty and are not compared.")
    if not blind and report["no image"]:
        lines.append(
            f"{report['no image']:,} patches have no image any more; "
            f"{report['not decided']:,} pairs with them stay not decided."
        )
    return ("Stopped; this is what was found so far.", *lines) if stopped else tuple(lines)
