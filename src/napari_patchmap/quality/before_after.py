"""What evening out did: how well the batch is told before and after, and the labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_patchmap.quality.batches import batch_effect
from napari_patchmap.quality.figure import FigureInput, capitalised
from napari_patchmap.quality.knn import KNN, KNN_OF_FEATURES
from napari_patchmap.quality.report import measure

#: What says whether labels are told as well as before.
_BIOLOGY = (KNN, KNN_OF_FEATURES)

#: A batch that tells so much of what there is to know of the labels is worth a warning.
_TELLS = 0.3

#: Points of accuracy that may be lost without a word: the test patches are the same, but few.
_FELT = 0.01


def evening_warning(batches: np.ndarray, labels: np.ndarray | None, column: str) -> str:
    """Say before it is done what evening out would take of the labels, "" if little.

    Of what guessing the most frequent label leaves open, the share is looked at that is known
    once one knows the batch (Goodman and Kruskal's lambda).

    Parameters
    ----------
    batches, labels : ndarray of str, shape (n,)
        "" where they are not known.
    column : str
        What the batches are.
    """
    if labels is None:
        return ""
    known = (labels != "") & (batches != "")
    names, kinds = np.unique(labels[known].astype(str), return_inverse=True)
    places, where = np.unique(batches[known], return_inverse=True)
    if len(names) < 2 or len(places) < 2:
        return ""
    pairs = np.bincount(where * len(names) + kinds, minlength=len(places) * len(names))
    counts = pairs.reshape(len(places), len(names))
    right, usual = counts.max(axis=1).sum(), counts.sum(axis=0).max()
    told = (right - usual) / max(1, counts.sum() - usual)
    if told < _TELLS:
        return ""
    if right == counts.sum():
        return (
            f"Careful: all patches of one {column} have one label, so that evening out takes "
            "away what sets the labels apart, together with the batch. Nobody can tell the two "
            "from each other here."
        )
    share, usual_share = (f"{100 * n / counts.sum():.0f} %" for n in (right, usual))
    return (
        f"Careful: {column} alone tells the label of {share} of the patches (the most frequent "
        f"label: {usual_share}), so that evening out takes away some of what sets the labels "
        "apart."
    )


def before_and_after(
    before: FigureInput,
    after: FigureInput,
    batches: np.ndarray,
    column: str,
    *,
    same_layout: bool = True,
) -> dict[str, Any]:
    """Compare a map with the one that was made of the same features evened out.

    Parameters
    ----------
    before, after : FigureInput
        Of the same patches, with features.
    batches : ndarray of str, shape (n,)
    column : str
    same_layout : bool
        Whether both were laid out in the same way; if not, that is said.

    Returns
    -------
    dict
        ``column``; ``before`` and ``after``, each with ``batch`` (see :func:`batch_effect`) and
        the entries of the figures that need labels; ``said``: a sentence or two.
    """
    found: dict[str, Any] = {"column": column}
    for name, given in (("before", before), ("after", after)):
        report = measure(given, each=False, only=_BIOLOGY).report
        entries = {figure.key: report[figure.key] for figure in _BIOLOGY}
        found[name] = {"batch": batch_effect(given, batches, column), **entries}
    found["said"] = _said(found)
    if not same_layout:
        found["said"] += (
            " The map before was laid out by the network and this one by t-SNE, which changes "
            "the figures of the map, too; those of the features it does not."
        )
    return found


def before_after_lines(found: dict[str, Any]) -> list[str]:
    """Say what :func:`before_and_after` found in short lines, its sentence first."""
    lines, old, new = [found["said"]], found["before"], found["after"]
    for name, where in (("map", "on the map"), ("features", "among the features")):
        told, tells = old["batch"][name], new["batch"][name]
        if told is not None and tells is not None:
            was, now, chance, deviation = (
                f"{100 * share:.1f}"
                for share in (
                    told["accuracy"], tells["accuracy"], tells["chance"], tells["chance_sd"]
                )
            )  # fmt: skip
            lines.append(
                f"{found['column']} told {where}: {was} % before, {now} % after; by chance "
                f"{chance} ± {deviation} %"
            )
    first, second = ((one["batch"]["robustness"] or {}).get("index") for one in (old, new))
    if first is not None and second is not None:
        lines.append(f"Robustness index: {first:.2f} before, {second:.2f} after")
    for figure in _BIOLOGY:
        if old[figure.key] and new[figure.key]:
            lines.append(
                f"{capitalised(figure.name)}: {figure.text(old, 'exact')} before, "
                f"{figure.text(new, 'exact')} after (95 %: {figure.interval(new)})"
            )
    return lines


def _said(found: dict[str, Any]) -> str:
    """Say what became of the batch, and at what cost."""
    old, new, column = found["before"], found["after"], found["column"]
    told, tells = old["batch"]["map"], new["batch"]["map"]
    over, left = told["accuracy"] - told["chance"], tells["accuracy"] - tells["chance"]
    rest = left / max(1e-9, over)
    was, now, chance = (
        f"{100 * share:.0f} %"
        for share in (told["accuracy"], tells["accuracy"], tells["chance"])
    )
    numbers = f"for {now} of the patches (before {was}, by chance {chance})"
    said = f"Neighbours on the map now tell {column} {numbers}"
    if left <= 4 * max(tells["chance_sd"], 1e-3):
        said += ": no more than by chance."
    elif over <= 0 or rest > 1:
        said += ": evening out did not help."
    else:
        said += f": {100 * (1 - rest):.0f} % of what was above chance has gone."
    lost = [
        f"{figure.name} fell from {figure.text(old, 'exact')} to {figure.text(new, 'exact')}"
        for figure in _BIOLOGY
        if old[figure.key] and figure.of(old) - figure.of(new) > _FELT
    ]
    if lost:
        return f"{said} Careful, it cost some of the labels, too: {' and '.join(lost)}."
    if old[KNN.key]:
        return f"{said} Labels are told as well as before."
    return f"{said} Without labels nobody can say what else went: compare both maps."
