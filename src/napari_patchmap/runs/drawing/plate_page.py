"""A plate as a figure: a disc for each well, coloured by what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_patchmap.errors import RunError
from napari_patchmap.explore.colouring import Colouring, scale_colours
from napari_patchmap.explore.plate_wells import (
    NUMBER,
    WellFigure,
    Wells,
    figures_of,
    head_names,
    usual_figure,
    well_figure,
    wells_of,
)
from napari_patchmap.runs.drawing.drawable import Drawable
from napari_patchmap.runs.drawing.figure_config import PageConfig
from napari_patchmap.runs.drawing.legend_page import LegendPage
from napari_patchmap.runs.drawing.paper import shown
from napari_patchmap.settings import setting

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Diameter of a well and of its letters, as shares of the distance of two wells.
_DISC, _LETTERS = 0.76, 0.6


@dataclass(frozen=True)
class PlateConfig(PageConfig):
    """Settings of the picture of a plate."""

    share_of: str | None = setting(
        None,
        "group of the colours whose share is shown, 'none' for the number of patches; the "
        "most frequent group, or the mean where the colours are those of numbers",
        label="Share of",
    )
    plate: str | None = setting(None, "which plate, where there are several; all by default")


def draw_plate(given: Drawable, config: PlateConfig) -> Figure:
    """Draw the wells of one plate, or of each below the other.

    Raises
    ------
    RunError
        If no column names wells, or there is no such group or plate.
    """
    table = given.open_table()
    wells = wells_of(table)
    if wells is None:
        raise RunError(
            "No column names the wells of a plate, as B07 does; load the patches with a table "
            "that has a column called well."
        )
    chosen = _plates(wells, config.plate)
    title = _title(given.colouring, config.share_of)
    figures = [well_figure(wells, one, title, given.colouring, table) for one in chosen]
    limits = (min(one.limits[0] for one in figures), max(one.limits[1] for one in figures))
    rows, columns = wells.shape
    several = len(figures) > 1
    lines = len(figures) * (rows + 1 + several)
    percent = 100.0 if figures[0].shares else 1.0
    name = figures[0].title + (" (%)" if figures[0].shares else "")
    scale = Colouring(name, np.empty((0, 4)), limits=(percent * limits[0], percent * limits[1]))
    page = LegendPage(scale, config, lines / (columns + 1), bar=True)
    left, top, width, height = page.box
    side = min(width / (columns + 1), height / lines)
    for number, (plate, figure) in enumerate(zip(chosen, figures, strict=True)):
        above = top + number * (rows + 1 + several) * side
        if several:
            page.text(left + side, above + side / 2, shown(wells.plates[plate]), weight="bold")
            above += side
        _draw(page, figure, (left, above), side, limits)
    page.name_colours()
    page.write_title()
    return page.figure


def _draw(
    page: LegendPage,
    figure: WellFigure,
    corner: tuple[float, float],
    side: float,
    limits: tuple[float, float],
) -> None:
    """Draw the names of rows and columns, and the wells of one plate."""
    left, top = corner
    names, numbers = head_names(figure.values.shape)
    size = min(page.size, _LETTERS * side)
    for at, name in enumerate(names):
        page.text(left + side / 2, top + (at + 1.5) * side, name, size, ha="center")
    for at, name in enumerate(numbers):
        page.text(left + (at + 1.5) * side, top + side / 2, name, size, ha="center")
    rows, columns = np.indices(figure.values.shape).reshape(2, -1)
    x, y = left + (columns + 1.5) * side, top + (rows + 1.5) * side
    values, there = figure.values.ravel(), figure.counts.ravel() > 0
    known = np.isfinite(values)
    low, high = limits
    steps = scale_colours()
    share = (values[known] - low) / (high - low) if high > low else np.zeros(known.sum())
    colours = steps[np.rint(np.clip(share, 0, 1) * (len(steps) - 1)).astype(int)]
    disc: dict[str, Any] = {"s": (_DISC * side) ** 2, "zorder": 3, "linewidths": 0}
    page.paper.scatter(x[known], y[known], c=colours, **disc)
    ring = {"facecolors": "none", "edgecolors": page.inks.lines, "linewidths": 0.04 * side}
    page.paper.scatter(x[~there], y[~there], **(disc | ring))
    blank = there & ~known
    page.paper.scatter(x[blank], y[blank], c=page.inks.lines, **disc)


def _plates(wells: Wells, name: str | None) -> list[int]:
    if name is None:
        return list(range(len(wells.plates)))
    if name not in wells.plates:
        raise RunError(
            f"There is no plate {name[:40]!r}; there are {', '.join(wells.plates[:12])}."
        )
    return [wells.plates.index(name)]


def _title(colouring: Colouring, group: str | None) -> str:
    """Return which figure is drawn."""
    if group is None:
        return usual_figure(colouring)
    if group == "none" and group not in colouring.names:
        return NUMBER
    if f"share of {group}" not in figures_of(colouring):
        there = ", ".join(colouring.names[:12]) or "none: the colours are those of numbers"
        raise RunError(f"There is no group {group[:40]!r}; there are {there}.")
    return f"share of {group}"
