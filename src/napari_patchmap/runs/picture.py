"""The map as a picture for the lab book."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_patchmap.explore.palette import categorical_colours, label_order, missing_colour

#: Labels that are named in the legend.
_LEGEND = 24


def save_picture(
    path: str | Path,
    embedding: np.ndarray,
    labels: np.ndarray | None,
    metrics: dict[str, Any],
    name: str,
) -> Path:
    """Draw a map as PNG, oriented and coloured as in napari.

    Parameters
    ----------
    path : str or Path
    embedding : ndarray, shape (n, 2)
    labels : ndarray of str, shape (n,), optional
    metrics : dict
        See :func:`napari_patchmap.quality.evaluate`.
    name : str
        Title.
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    figure = Figure(figsize=(9.5, 7.2), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    count = len(embedding)
    colours = np.tile(np.array([0.0, 0.447, 0.698, 1.0]), (count, 1))
    handles: list[Line2D] = []
    if labels is not None:
        order = label_order(labels)
        palette = categorical_colours(len(order))
        colours = np.tile(missing_colour(), (count, 1))
        for label, colour in zip(order, palette, strict=True):
            colours[labels == label] = colour
            if len(handles) < _LEGEND:
                text = f"{label}  {int((labels == label).sum()):,}"
                handles.append(
                    Line2D([], [], ls="", marker="o", ms=7, color=colour, label=text)
                )
    # A fixed shuffle, so that no label lies on top of the others.
    shuffled = np.random.default_rng(0).permutation(count)
    size = float(np.clip(60_000 / max(count, 1), 2.5, 40))
    axes.scatter(
        embedding[shuffled, 1],
        embedding[shuffled, 0],
        c=colours[shuffled],
        s=size,
        linewidths=0,
        alpha=0.85,
    )
    axes.set_aspect("equal")
    axes.invert_yaxis()
    axes.set_axis_off()
    axes.set_title(_title(name, count, metrics), loc="left", fontsize=12)
    if handles:
        axes.legend(
            handles=handles,
            loc="center left",
            bbox_to_anchor=(1.0, 0.5),
            frameon=False,
            fontsize=10,
            handletextpad=0.2,
        )
    figure.savefig(path, facecolor="white")
    return Path(path)


def _title(name: str, count: int, metrics: dict[str, Any]) -> str:
    parts = [f"{name}: {count:,} patches"]
    if metrics.get("knn"):
        parts.append(f"15-NN accuracy {100 * metrics['knn']['accuracy']:.1f} %")
    if metrics.get("silhouette"):
        parts.append(f"silhouette {metrics['silhouette']['mean']:.2f}")
    return "   ".join(parts)
