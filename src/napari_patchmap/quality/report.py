"""All quality figures of one map, with the sizes they were computed on."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_patchmap.quality.knn import NEIGHBOURS, knn_accuracy
from napari_patchmap.quality.silhouette import silhouette


def evaluate(embedding: np.ndarray, labels: np.ndarray | None) -> dict[str, Any]:
    """Say how good a map is.

    Parameters
    ----------
    embedding : ndarray, shape (n, 2)
    labels : ndarray of str, shape (n,), optional
        "" where a label is missing; those patches are left out of the scores.

    Returns
    -------
    dict
        ``n`` patches, ``labelled`` of them scored, ``knn`` (see
        :func:`knn_accuracy`) and ``silhouette`` (see :func:`silhouette`) or None
        where a figure would mean nothing, and ``notes``: sentences that say why.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_patchmap.quality import evaluate
    >>> labels = np.array(["left"] * 100 + ["right"] * 100)
    >>> report = evaluate(np.repeat([[0.0, 0.0], [0.0, 9.0]], 100, axis=0), labels)
    >>> report["knn"]["accuracy"], report["silhouette"]["mean"]
    (1.0, 1.0)
    """
    report: dict[str, Any] = {
        "n": len(embedding),
        "labelled": 0,
        "knn": None,
        "silhouette": None,
        "notes": [],
    }
    notes = report["notes"]
    if not np.isfinite(embedding).all():
        notes.append("The map holds coordinates that are not numbers; train it again.")
        return report
    if labels is None:
        notes.append(
            "These patches have no labels, so accuracy and silhouette, which compare the map "
            "with labels, are not defined."
        )
        return report
    keep = labels != ""
    if not keep.all():
        notes.append(f"{int((~keep).sum()):,} patches without a label are left out.")
    names, counts = np.unique(labels[keep], return_counts=True)
    single = names[counts < 2]
    if len(names) >= 2 and len(single):
        keep &= ~np.isin(labels, single)
        listed = ", ".join(single[:3]) + (", ..." if len(single) > 3 else "")
        notes.append(f"Labels with a single patch are left out: {listed}.")
    embedding, labels = embedding[keep], labels[keep]
    report["labelled"] = len(labels)
    if len(np.unique(labels)) < 2:
        notes.append("Accuracy and silhouette need at least two labels with two patches each.")
        return report
    report["knn"] = knn_accuracy(embedding, labels)
    if report["knn"] is None:
        notes.append(
            f"{len(labels):,} labelled patches are too few for {NEIGHBOURS}-nearest-neighbour "
            "accuracy."
        )
    report["silhouette"] = silhouette(embedding, labels)
    return report


def report_lines(report: dict[str, Any]) -> list[str]:
    """Say a report in short lines for the command line."""
    lines = [f"{report['n']:,} patches on the map"]
    knn, outline = report["knn"], report["silhouette"]
    if knn is not None:
        lines.append(
            f"{knn['k']}-NN accuracy in 2-D: {100 * knn['accuracy']:.1f} % "
            f"(on {knn['test_n']:,} held-out patches)"
        )
    if outline is not None:
        lines.append(f"Silhouette: {outline['mean']:.3f} (over {outline['n']:,} patches)")
    names = list((outline or {}).get("per_class", {}))
    if names:
        width = max(len(name) for name in names)
        lines.append(f"  {'label':<{width}}  patches  15-NN accuracy  silhouette")
        for name in names:
            entry = outline["per_class"][name]
            share = (knn or {}).get("per_class", {}).get(name)
            accuracy = f"{100 * share['accuracy']:.1f} %" if share else "-"
            lines.append(
                f"  {name:<{width}}  {entry['n']:>7,}  {accuracy:>14}  {entry['mean']:>10.3f}"
            )
    return lines + report["notes"]
