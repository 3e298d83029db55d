"""All quality figures of one map, with the sizes they were computed on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_patchmap.few_names import some_of
from napari_patchmap.patches.watch import LoadCancelled
from napari_patchmap.quality.figure import FigureInput, QualityFigure, capitalised
from napari_patchmap.quality.figures import FIGURES, defined_in

#: In a report: those of its notes that say why figures of labels are not known, or of whom.
LABEL_NOTES = "label_notes"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How good a map is, as a whole and for each patch.

    Parameters
    ----------
    report : dict
        See :func:`evaluate`.
    columns : dict
        Numbers of patches, (n,) of float32 each, NaN where one was not looked at, by the
        ``key`` of the figure that is their mean.
    """

    report: dict[str, Any]
    columns: dict[str, np.ndarray]


def evaluate(
    embedding: np.ndarray,
    labels: np.ndarray | None = None,
    features: np.ndarray | None = None,
    **how: Any,
) -> dict[str, Any]:
    """Say how good a map is.

    Parameters
    ----------
    embedding : ndarray, shape (n, d)
    labels : ndarray of str, shape (n,), optional
        "" where a label is missing; those patches are left out of what needs labels.
    features : ndarray, shape (n, f), optional
        What the map was made from.
    **how
        ``metric``, ``most`` and ``watch`` of a
        :class:`~napari_patchmap.quality.figure.FigureInput`.

    Returns
    -------
    dict
        ``n`` patches, ``labelled`` of them scored, an entry for each figure of
        :data:`~napari_patchmap.quality.figures.FIGURES` (``knn``, ``silhouette``, ...;
        None where it would mean nothing), and ``notes``: sentences that say why; those of
        them that are of the labels stand in ``label_notes`` as well.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_patchmap.quality import evaluate
    >>> labels = np.array(["left"] * 100 + ["right"] * 100)
    >>> report = evaluate(np.repeat([[0.0, 0.0], [0.0, 9.0]], 100, axis=0), labels)
    >>> report["knn"]["accuracy"], report["silhouette"]["mean"]
    (1.0, 1.0)
    """
    return measure(FigureInput(embedding, labels, features, **how), each=False).report


#: What is to be known of the figures of a map whose network saw its patches.
TRAINED_ON = (
    "All figures are of the patches on which the network was trained, without their labels; of "
    "patches that it has not seen they may be lower."
)


def measure(
    given: FigureInput,
    *,
    each: bool = True,
    only: Sequence[QualityFigure] | None = None,
) -> Evaluation:
    """Say how good a map is; for each patch as well where ``each`` is wanted.

    Where ``given.watch`` ended it, with what was known by then, if that is wanted; it is told
    what is known after each figure. Other figures than ``only``, if that says some, are left
    at None.
    """
    notes: list[str] = []
    figures = dict.fromkeys(figure.key for figure in FIGURES)
    report = {"n": len(given), "labelled": 0, **figures, "notes": notes}
    columns: dict[str, np.ndarray] = {}
    if not np.isfinite(given.embedding).all():
        notes.append("The map holds coordinates that are not numbers; train it again.")
        return Evaluation(report, columns)
    keep = labelled_rows(given, notes)
    of_labels = report[LABEL_NOTES] = list(notes)
    report["labelled"] = 0 if keep is None else int(keep.sum())
    labelled = None if keep is None else given.rows(keep)
    failed: dict[str, list[str]] = {}
    for figure in FIGURES if only is None else only:
        chosen = labelled if figure.needs_labels else given
        if chosen is None:
            continue  # the reason was given above
        if figure.needs_features and given.features is None:
            failed.setdefault("need features, and there are none.", []).append(figure.name)
            continue
        try:
            report[figure.key] = figure.compute(chosen)
            if each and figure.each is not None and report[figure.key] is not None:
                column = np.full(len(given), np.nan, np.float32)
                of = keep if figure.needs_labels and keep is not None else slice(None)
                column[of] = figure.each(chosen)
                columns[figure.key] = column
        except LoadCancelled:
            if not given.watch.keeps:
                raise
            notes.append("Measuring was ended before all figures were known.")
            break
        except Exception as error:  # noqa: BLE001 - whatever it is, the map is worth more
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            failed.setdefault(f"could not be measured ({reason}).", []).append(figure.name)
            continue
        given.watch.tell(dict(report))
        if report[figure.key] is None:
            notes.append(figure.undefined.format(n=len(chosen)))
            if figure.needs_labels:
                of_labels.append(notes[-1])
    for reason, names in failed.items():
        alone = reason.replace("need ", "needs ") if len(names) == 1 else reason
        notes.append(f"{capitalised(_listed(names))} {alone}")
    report["notes"] = list(dict.fromkeys(notes))  # what holds for several is said once
    return Evaluation(report, columns)


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


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


def labelled_rows(given: FigureInput, notes: list[str]) -> np.ndarray | None:
    """Say of which patches labels can be compared, (n,) of bool, and note why of no others.

    None if of none.
    """
    labels = given.labels
    if labels is None:
        notes.append(
            "These patches have no labels, so figures that compare the map with labels are not "
            "defined."
        )
        return None
    keep = labels != ""
    if not keep.all():
        notes.append(f"{int((~keep).sum()):,} patches without a label are left out.")
    known, counts = np.unique(labels[keep], return_counts=True)
    single = known[counts < 2]
    if len(known) >= 2 and len(single):
        keep &= ~np.isin(labels, single)
        notes.append(f"Labels with a single patch are left out: {some_of(single)}.")
    if len(np.unique(labels[keep])) < 2:
        notes.append(
            "Figures that compare the map with labels need at least two labels with two "
            "patches each."
        )
        return None
    return keep


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
        if named := report.get("label_from"):
            lines.append(f"Labels: {named}")
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
