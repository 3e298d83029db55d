"""Groups of patches as they are reported: sizes, labels, what sets them apart, examples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from napari_patchmap.explore.natural_order import natural_order
from napari_patchmap.explore.text_codes import text_codes
from napari_patchmap.find.picture_measures import measured
from napari_patchmap.find.search import INDEX, FindInput, Found
from napari_patchmap.find.set_apart import (
    column_differences,
    picture_differences,
    said_apart,
)
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.percent import percent

#: Name of the column.
GROUP = "group"

#: Patches shown of each group, and patches whose pictures are measured: of a group, of all.
TYPICAL, _OF_A_GROUP, _OF_ALL = 3, 60, 2_000

#: What the report says of how groups were made, which stays when they are changed.
_ABOUT = ("method", "of", "elbow", "smallest", "fitted")

#: What the list says of each group.
_LISTED = ("size", "label", "pure", "apart")

#: Rows whose distances are taken at once.
_PART = 16_384


def group_codes(names: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return which group each patch is in, (n,), -1 for none, and their names by size.

    Parameters
    ----------
    names : ndarray of object, shape (n,)
        The name of each patch's group, "" for none.
    """
    codes, texts = text_codes(pd.Series(names, dtype=object))
    counts = np.bincount(codes, minlength=len(texts))
    kept = [at for at in natural_order(texts).tolist() if texts[at] and counts[at]]
    kept.sort(key=lambda at: -counts[at])
    to = np.full(len(texts), -1, np.intp)
    to[kept] = np.arange(len(kept))
    return to[codes], [texts[at] for at in kept]


def named_by_size(codes: np.ndarray) -> np.ndarray:
    """Name groups "group 1", the largest, and so on: (n,) objects, "" for none (-1)."""
    sizes = np.bincount(codes[codes >= 0])
    rank = np.empty(len(sizes), np.intp)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    names = np.array([*(f"{GROUP} {at + 1}" for at in rank), ""], object)
    found: np.ndarray = names[codes]
    return found


def grouped(
    looked: FindInput,
    points: np.ndarray,
    names: np.ndarray,
    about: dict[str, Any],
    first: tuple[str, ...],
    watch: Watch = UNWATCHED,
) -> Found:
    """Describe groups.

    Parameters
    ----------
    looked : FindInput
    points : ndarray of float32, shape (n, d)
        By which the groups were made; typical is who is near the mean of a group.
    names : ndarray of object, shape (n,)
        Group of each patch, "" for none.
    about : dict
        How they were made; stands in the report beside the groups.
    first : tuple of str
        Lines that come before those about labels.
    watch : Watch
        Of what takes longer, the pictures; once ended, it does without.
    """
    codes, known = group_codes(names)
    sizes = np.bincount(codes[codes >= 0], minlength=len(known))
    near, apart = _typical(points, codes, len(known))
    differences = column_differences(looked.table, codes, len(known))
    if looked.patches is not None:
        some = _spread_over(codes, len(known))
        measures = measured(looked.patches, some, watch)
        differences += picture_differences(measures, codes[some], len(known))
    labels = _labels(looked.labels, codes, len(known))
    rows = [
        {
            "name": name,
            "size": int(sizes[at]),
            "apart": said_apart(differences, at),
            **labels["each"][at],
        }
        for at, name in enumerate(known)
    ]
    listed = pd.DataFrame(
        [
            (row, group["name"], place + 1, far, *map(group.get, _LISTED))
            for group, rows_of, far_of in zip(rows, near, apart, strict=True)
            for place, (row, far) in enumerate(zip(rows_of, far_of, strict=True))
        ],
        columns=[INDEX, GROUP, "rank", "distance", *_LISTED],
    )
    listed = listed.astype({"pure": float}).fillna({"label": ""})
    report = {
        **about,
        "patches": len(names),
        "grouped": int((codes >= 0).sum()),
        "groups": rows,
        **labels["all"],
    }
    return Found({GROUP: names}, listed, report, (*first, *_lines(report, labels["all"])))


def regrouped(
    looked: FindInput,
    points: np.ndarray,
    names: np.ndarray,
    found: Found,
    watch: Watch = UNWATCHED,
) -> Found:
    """Describe groups that a person has changed; ``found`` are those before."""
    about = {name: found.report[name] for name in _ABOUT if name in found.report}
    count = len(group_codes(names)[1])
    first = f"{count:,} group{'s' if count != 1 else ''}, changed by hand."
    return grouped(looked, points, names, {**about, "changed": True}, (first,), watch)


def _typical(
    points: np.ndarray, codes: np.ndarray, groups: int
) -> tuple[list[list[int]], list[list[float]]]:
    """Return the patches nearest to the mean of each group, and their distances."""
    inside = np.flatnonzero(codes >= 0)
    order = inside[np.argsort(codes[inside], kind="stable")]
    ends = np.cumsum(np.bincount(codes[inside], minlength=groups))
    near, apart = [], []
    for members in np.split(order, ends[:-1]) if groups else []:
        middle = points[members].mean(axis=0, dtype=np.float64).astype(np.float32)
        parts = [
            np.linalg.norm(points[members[at : at + _PART]] - middle, axis=1)
            for at in range(0, len(members), _PART)
        ]
        far = np.concatenate(parts)
        first = np.argsort(far, kind="stable")[:TYPICAL]
        near.append([int(row) for row in members[first]])
        apart.append([float(value) for value in far[first]])
    return near, apart


def _spread_over(codes: np.ndarray, groups: int) -> np.ndarray:
    """Return some patches of each group and of those in none, spread over their order."""
    most = min(_OF_A_GROUP, max(5, _OF_ALL // (groups + 1)))
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes + 1, minlength=groups + 1))
    some = [
        members[np.linspace(0, len(members) - 1, min(most, len(members))).astype(np.intp)]
        for members in np.split(order, ends[:-1])
    ]
    return np.sort(np.concatenate(some))


def _labels(labels: np.ndarray | None, codes: np.ndarray, groups: int) -> dict[str, Any]:
    """Compare groups with labels: of each group, and of all."""
    nothing: dict[str, Any] = {"each": [{} for _ in range(groups)], "all": {}}
    if labels is None:
        return nothing
    of, texts = text_codes(pd.Series(labels))
    both = (codes >= 0) & np.array([bool(text) for text in texts])[of]
    if not both.any():
        return nothing
    pairs = codes[both] * len(texts) + of[both]
    counts = np.bincount(pairs, minlength=groups * len(texts)).reshape(groups, -1)
    most, all_of = counts.max(axis=1), counts.sum(axis=1)
    each = [
        {"pure": int(most[at]) / int(all_of[at]), "label": texts[int(counts[at].argmax())]}
        if all_of[at]
        else {}
        for at in range(groups)
    ]
    whole = {
        "labelled": int(both.sum()),
        "pure": int(most.sum()) / int(both.sum()),
        "ari": float(adjusted_rand_score(of[both], codes[both])),
        "ami": float(adjusted_mutual_info_score(of[both], codes[both])),
    }
    return {"each": each, "all": whole}


def _lines(report: dict[str, Any], labels: dict[str, Any]) -> list[str]:
    lines = []
    if report["grouped"] < report["patches"]:
        outside = report["patches"] - report["grouped"]
        lines.append(
            f"{outside:,} patches ({percent(outside / report['patches'])}) are in no group."
        )
    if labels:
        lines.append(
            f"Of {labels['labelled']:,} labelled patches in groups, {percent(labels['pure'])} "
            f"have the most frequent label of their group. Groups and labels agree by an "
            f"adjusted Rand index of {labels['ari']:.2f} and an adjusted mutual information of "
            f"{labels['ami']:.2f} (0: by chance, 1: the same)."
        )
    sizes = [row["size"] for row in report["groups"]]
    if len(sizes) > 1:
        lines.append(f"The largest has {sizes[0]:,} patches, the smallest {sizes[-1]:,}.")
    return lines
