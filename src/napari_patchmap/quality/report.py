"""All quality figures of one map, with the sizes they were computed on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_patchmap.quality.figure import FigureInput, capitalised
from napari_patchmap.quality.figures import FIGURES, defined_in


def evaluate(
    embedding: np.ndarray,
    labels: np.ndarray | None = None,
    features: np.ndarray | None = None,
) -> dict[str, Any]:
    """Say how good a map is.

    Parameters
    ----------
    embedding : ndarray, shape (n, d)
    labels : ndarray of str, shape (n,), optional
        "" where a label is missing; those patches are left out of what needs labels.
    features : ndarray, shape (n, f), optional
        What the map was made from.

    Returns
    -------
    dict
        ``n`` patches, ``labelled`` of them scored, an entry for each figure of
        :data:`~napari_patchmap.quality.figures.FIGURES` (``knn``, ``silhouette``, ...;
        None where it would mean nothing), and ``notes``: sentences that say why.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_patchmap.quality import evaluate
    >>> labels = np.array(["left"] * 100 + ["right"] * 100)
    >>> report = evaluate(np.repeat([[0.0, 0.0], [0.0, 9.0]], 100, axis=0), labels)
    >>> report["knn"]["accuracy"], report["silhouette"]["mean"]
    (1.0, 1.0)
    """
    notes: list[str] = []
    figures = dict.fromkeys(figure.key for figure in FIGURES)
    report = {"n": len(embedding), "labelled": 0, **figures, "notes": notes}
    if not np.isfinite(embedding).all():
        notes.append("The map holds coordinates that are not numbers; train it again.")
        return report
    given = FigureInput(embedding, labels, features)
    labelled = _labelled(given, report)
    for figure in FIGURES:
        chosen = labelled if figure.needs_labels else given
        if chosen is None:
            continue  # the reason was given above
        if figure.needs_features and features is None:
            notes.append(f"{capitalised(figure.name)} needs features, and there are none.")
            continue
        try:
            report[figure.key] = figure.compute(chosen)
        except Exception as error:  # noqa: BLE001 - whatever it is, the map is worth more
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            notes.append(f"{capitalised(figure.name)} could not be measured ({reason}).")
            continue
        if report[figure.key] is None:
            notes.append(figure.undefined.format(n=len(chosen)))
    return report


def add_training(report: dict[str, Any], training: dict[str, Any]) -> None:
    """Add what a map's training was, with its warning before all other notes.

    Parameters
    ----------
    report : dict
        See :func:`evaluate`.
    training : dict
        ``steps`` and ``epochs`` of each stage, and ``warning``, "" without one.
    """
    report["training"] = training
    if training["warning"]:
        report["notes"].insert(0, training["warning"])


def _labelled(given: FigureInput, report: dict[str, Any]) -> FigureInput | None:
    """Keep what labels can be compared of, and note it; None if that is nothing."""
    labels, notes = given.labels, report["notes"]
    names = " and ".join(figure.name for figure in FIGURES if figure.needs_labels)
    if labels is None:
        notes.append(
            f"These patches have no labels, so {names}, which compare the map with labels, are "
            "not defined."
        )
        return None
    keep = labels != ""
    if not keep.all():
        notes.append(f"{int((~keep).sum()):,} patches without a label are left out.")
    known, counts = np.unique(labels[keep], return_counts=True)
    single = known[counts < 2]
    if len(known) >= 2 and len(single):
        keep &= ~np.isin(labels, single)
        listed = ", ".join(single[:3]) + (", ..." if len(single) > 3 else "")
        notes.append(f"Labels with a single patch are left out: {listed}.")
    report["labelled"] = int(keep.sum())
    if len(np.unique(labels[keep])) < 2:
        notes.append(f"{capitalised(names)} need at least two labels with two patches each.")
        return None
    return given.rows(keep)


@dataclass(frozen=True)
class LabelFigures:
    """The figures of one label."""

    name: str
    count: int
    """Its patches."""
    entries: dict[str, dict[str, Any]]
    """What is known of it, in the form of a report: the entry of each figure by its key."""


def label_figures(report: dict[str, Any]) -> list[LabelFigures]:
    """List the figures of each label, in the order of their names."""
    entries: dict[str, dict[str, dict[str, Any]]] = {}
    for figure in defined_in(report):
        for name, entry in report[figure.key].get("per_class", {}).items():
            entries.setdefault(name, {})[figure.key] = entry
    return [
        # Some figures see a part of the patches only; none sees more than there are.
        LabelFigures(name, max(entry["n"] for entry in known.values()), known)
        for name, known in sorted(entries.items())
    ]


def report_lines(report: dict[str, Any]) -> list[str]:
    """Say a report in short lines for the command line."""
    lines = [f"{report['n']:,} patches on the map"]
    lines += [
        f"{capitalised(figure.full)}: {figure.text(report, 'exact')} "
        f"({figure.basis_of(report)})"
        for figure in defined_in(report)
    ]
    labels, columns = label_figures(report), [figure for figure in FIGURES if figure.by_label]
    if labels:
        width = max(len(label.name) for label in labels)
        heads = "".join(f"  {figure.name}" for figure in columns)
        lines.append(f"  {'label':<{width}}  patches{heads}")
        for label in labels:
            cells = "".join(
                f"  {figure.text(label.entries, 'exact', '-'):>{len(figure.name)}}"
                for figure in columns
            )
            lines.append(f"  {label.name:<{width}}  {label.count:>7,}{cells}")
    return lines + report["notes"]
