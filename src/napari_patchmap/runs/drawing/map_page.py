"""A map on a page of its own: title, points, and what their colours mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_patchmap.explore.colouring import Colouring, proper_groups
from napari_patchmap.runs.drawing.figure_config import FigureConfig
from napari_patchmap.runs.drawing.legend_page import LegendPage
from napari_patchmap.runs.drawing.map_frame import MapFrame
from napari_patchmap.runs.drawing.name_places import dense_rows, place_names
from napari_patchmap.runs.drawing.page_layout import DOT, shortened
from napari_patchmap.runs.drawing.paper import shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Room around the points, in shares of the map; with names beside the groups.
_AROUND, _AROUND_NAMES = 0.02, 0.08


def draw_map(embedding: np.ndarray, colouring: Colouring, config: FigureConfig) -> Figure:
    """Draw a map on a page.

    Parameters
    ----------
    embedding : ndarray, shape (n, d)
        Finite; oriented as in napari.
    colouring : Colouring
        Of the n patches: as the window has it, or of annotations.
    config : FigureConfig

    Raises
    ------
    RunError
        If the page has more pixels than can be drawn.
    """
    around = _AROUND_NAMES if config.names == "beside" else _AROUND
    frame = MapFrame.of(embedding, around)
    page = LegendPage(
        colouring, config, frame.aspect, height=config.height,
        legend=config.names == "legend", bar=config.names != "none",
    )  # fmt: skip
    frame.draw(page, embedding, page.box, config.point_size)
    page.write_title()
    page.name_colours()
    if config.names == "beside" and colouring.names:
        _draw_names(page, frame.on_page(embedding, page.box) - (page.top, 0.0))
    return page.figure


def _draw_names(page: LegendPage, on_page: np.ndarray) -> None:
    """Name the groups beside them; places are (y, x) below the title."""
    size, top = page.size, page.top
    colouring = page.colouring
    counts = colouring.counts()
    groups = np.array([g for g in proper_groups(colouring) if counts[g]], int)
    if not len(groups):
        return
    names = [
        shortened(shown(colouring.names[g]), 0.3 * page.width, page.measure) for g in groups
    ]
    sizes = np.array([[1.35 * size, page.measure(n) + (DOT + 0.5) * size] for n in names])
    anchors = on_page[dense_rows(on_page, colouring.codes, groups)]
    room = (page.height - top, page.width)
    middles = place_names(on_page, anchors, sizes, room)
    for group, name, anchor, middle, box in zip(
        groups, names, anchors, middles, sizes, strict=True
    ):
        y, x = middle - box / 2 + (top, 0.0)
        edge = np.clip(anchor, middle - box / 2, middle + box / 2)
        if np.linalg.norm(edge - anchor) > 1.2 * size:
            page.paper.plot(
                [edge[1], anchor[1]], [edge[0] + top, anchor[0] + top],
                color=page.inks.letters, lw=0.07 * size, alpha=0.7, zorder=1.5,
            )  # fmt: skip
        _under(page, x, y, box)
        page.dot(x + 0.65 * size, y + box[0] / 2, colouring.palette[group])
        page.text(x + (DOT + 0.2) * size, y + box[0] / 2, name, size)


def _under(page: LegendPage, x: float, y: float, box: np.ndarray) -> None:
    """Put a pane under a name, so that it can be read on points."""
    from matplotlib.patches import FancyBboxPatch

    high, wide = box
    around = 0.3 * page.size
    page.paper.add_patch(
        FancyBboxPatch(
            (x + around, y + around),
            wide - 2 * around,
            high - 2 * around,
            boxstyle=f"round,pad={around}",
            facecolor=page.inks.page,
            alpha=0.78,
            linewidth=0,
            zorder=2,
        )
    )
