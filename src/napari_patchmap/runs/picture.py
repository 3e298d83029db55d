"""The map as a picture for the lab book."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_patchmap.explore.paint_order import paint_order
from napari_patchmap.explore.palette import categorical_colours, label_order, missing_colour
from napari_patchmap.quality import defined_in
from napari_patchmap.writing import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

#: Labels that are named in the legend, and letters of a name that are shown.
_LEGEND, _LETTERS = 24, 60

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
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 7.2), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    handles = _draw(axes, embedding, labels)
    title = [f"{_shown(name)}: {len(embedding):,} patches", *_figures(metrics)]
    axes.set_title(_in_lines(title, _WIDE), loc="left", fontsize=12)
    if handles:
        _name_colours(axes, handles)
    return _save(figure, path)


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
    handles: list[Line2D] = []
    for number, (name, embedding, labels, metrics) in enumerate(maps, 1):
        axes = figure.add_subplot(rows, columns, number)
        handles = _draw(axes, embedding, labels, scale=0.5)
        title = f"{_shown(name)}\n{_in_lines(_figures(metrics), _NARROW)}"
        axes.set_title(title, loc="left", fontsize=10)
        if handles and number == columns:
            _name_colours(axes, handles)
    return _save(figure, path)


def _draw(
    axes: Axes, embedding: np.ndarray, labels: np.ndarray | None, scale: float = 1.0
) -> list[Line2D]:
    """Draw a map; return what names its colours."""
    from matplotlib.lines import Line2D

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
                text = f"{_shown(label)}  {int((labels == label).sum()):,}"
                handles.append(Line2D([], [], ls="", marker="o", ms=7, color=colour, gid=text))
    shuffled = paint_order(count)  # so that no label lies on top of the others
    size = scale * float(np.clip(60_000 / max(count, 1), 2.5, 40))
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
    return handles


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


def _save(figure: Figure, path: str | Path) -> Path:
    """Write a figure as PNG; what is between two $ in a name is no mathematics."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        text.set_parse_math(False)
        text.set_usetex(False)
    drawn = BytesIO()
    with warnings.catch_warnings():
        # A letter that no font here has is drawn as a box.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        # Tight: a title that is longer than its map is wide is drawn to its end.
        figure.savefig(drawn, format="png", facecolor="white", bbox_inches="tight")
    write_whole(path, drawn.getbuffer())
    return Path(path)


def _shown(name: object) -> str:
    """Return a name in letters that can be drawn, on one line, and not too long."""
    text = str(name).encode(errors="backslashreplace").decode()
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"


def _figures(metrics: dict[str, Any]) -> list[str]:
    """Return what there is to say of a map's quality, a few words each."""
    words = [f"{figure.name} {figure.text(metrics)}" for figure in defined_in(metrics)]
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
