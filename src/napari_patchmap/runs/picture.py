"""The map as a picture for the lab book."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from napari_patchmap.explore.colouring import Colouring, colour_by
from napari_patchmap.quality import defined_in
from napari_patchmap.runs.drawing.figure_config import FigureConfig
from napari_patchmap.runs.drawing.map_page import draw_map
from napari_patchmap.runs.drawing.map_points import colour_handles, draw_points, usual_diameter
from napari_patchmap.runs.drawing.paper import save_page, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

#: Labels that are named beside several maps.
_LEGEND = 24

#: The picture of a single map: as wide as a notebook, to be looked at on a screen.
_PICTURE = FigureConfig(width=240, font_size=10, dpi=120)

#: Letters above a map that has the picture for itself, and above one beside others.
_WIDE, _NARROW = 100, 52


def save_picture(
    path: str | Path,
    embedding: np.ndarray,
    labels: np.ndarray | None,
    metrics: dict[str, Any],
    name: str,
) -> Path:
    """Draw a map, ``(n, 2)``, as PNG, oriented and coloured as in napari.

    The title says its name and what :func:`napari_patchmap.quality.evaluate` found.
    """
    title = [f"{shown(name)}: {len(embedding):,} patches", *_figures(metrics)]
    config = _PICTURE.replace(title=_in_lines(title, _WIDE))
    return save_page(draw_map(embedding, _coloured(labels, len(embedding)), config), path)


def draw_maps(
    path: str | Path,
    maps: Sequence[tuple[str, np.ndarray, np.ndarray | None, dict[str, Any]]],
) -> Path:
    """Draw several maps of the same patches beside each other, in the same colours.

    Each comes as name, embedding, labels and metrics; see :func:`save_picture`.
    """
    from matplotlib.figure import Figure

    columns = min(3, len(maps))
    rows = -(-len(maps) // columns)
    figure = Figure(figsize=(4.2 * columns + 1.6, 4.2 * rows), dpi=120, layout="constrained")
    for number, (name, embedding, labels, metrics) in enumerate(maps, 1):
        axes = figure.add_subplot(rows, columns, number)
        colouring = _coloured(labels, len(embedding))
        diameter = usual_diameter(len(embedding), (3.6 * 72) ** 2)
        draw_points(axes, embedding, colouring.colours, diameter)
        title = f"{shown(name)}\n{_in_lines(_figures(metrics), _NARROW)}"
        axes.set_title(title, loc="left", fontsize=10)
        if colouring.names and number == columns:
            _name_colours(axes, colour_handles(colouring, 7, _LEGEND))
    return save_page(figure, path, tight=True)


def _coloured(labels: np.ndarray | None, count: int) -> Colouring:
    """Return the colours of labels, or of patches without any."""
    if labels is None:
        return colour_by(pd.DataFrame(index=range(count)), "")
    return colour_by(pd.DataFrame({"label": labels}), "label")


def _name_colours(axes: Axes, handles: list[Line2D]) -> None:
    legend = axes.legend(
        handles=handles,
        # Put in below: as labels, those that begin with "_" would be left out.
        labels=["-"] * len(handles),
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        frameon=False,
        fontsize=10,
        handletextpad=0.2,
    )
    for text, handle in zip(legend.get_texts(), handles, strict=True):
        text.set_text(str(handle.get_gid()))


def _figures(metrics: dict[str, Any]) -> list[str]:
    """Return what there is to say of a map's quality, a few words each."""
    words = [
        f"{figure.name} {figure.text(metrics)}"
        for figure in defined_in(metrics)
        if figure.headline
    ]
    warned = metrics.get("training", {}).get("warning")
    return [*words, "too little training"] if warned else words


def _in_lines(parts: Sequence[str], width: int) -> str:
    """Put words beside each other, in as many lines as they need; none is broken."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) < width:
            lines[-1] += f"   {part}"
        else:
            lines.append(part)
    return "\n".join(lines)
