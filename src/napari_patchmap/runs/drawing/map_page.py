"""A map on a page of its own: title, points, and what their colours mean."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from napari_patchmap.explore.colouring import Colouring, proper_groups, scale_colours
from napari_patchmap.explore.palette import missing_colour
from napari_patchmap.runs.drawing.figure_config import FigureConfig
from napari_patchmap.runs.drawing.map_points import draw_points, usual_diameter
from napari_patchmap.runs.drawing.name_places import dense_places, place_names
from napari_patchmap.runs.drawing.page_layout import (
    DOT,
    LINE,
    Layout,
    lay_out,
    shortened,
    wrapped,
)
from napari_patchmap.runs.drawing.paper import INKS, MM, Inks, fonts, new_page, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Margin of the page and width of a colour bar, in mm; both in points below.
_MARGIN, _BAR = 2.0, 3.0

#: Lines of which more are needed for a bar, with its name and what has no value.
_BAR_LEAST = 4

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
    return _Page(embedding, colouring, config).figure


class _Page:
    """One page while it is drawn; all lengths in points, from the upper left corner."""

    def __init__(self, embedding: np.ndarray, colouring: Colouring, config: FigureConfig):
        self._config, self._colouring = config, colouring
        self._inks: Inks = INKS[config.look]
        self._size = size = config.font_size
        self._measure = _measure(size)
        self._around = around = _AROUND_NAMES if config.names == "beside" else _AROUND
        places = np.asarray(embedding, float)[:, -2:]
        low, high = places.min(axis=0), places.max(axis=0)
        span = np.maximum(high - low, 1e-9 * max(1.0, float(np.abs(places).max())))
        span = np.maximum(span, span.max() / 4)  # patches on one line have a map, too
        middle = (low + high) / 2
        self._low, self._span = middle - span * (0.5 + around), span * (1 + 2 * around)
        wide = config.width * MM * 72
        high_ = None if config.height is None else config.height * MM * 72
        margin = _MARGIN * MM * 72
        above = _measure(1.2 * size)
        title = wrapped(config.title, wide - 2 * margin, above) if config.title else []
        top = margin + (len(title) * LINE * 1.2 + 0.4) * size * bool(title)
        texts = self._legend_texts(0.5 * (wide - 2 * margin))
        widths = [self._measure(text) for text in texts]
        bar = colouring.limits is not None and config.names != "none"
        if bar:
            widths = self._bar_widths()
        aspect = float(self._span[0] / self._span[1])
        page = wide, high_
        layout = lay_out(widths, size, aspect, page, top, margin, one_column=bar)
        self.figure = new_page(config.width, layout.height / 72 / MM, config.dpi, config.look)
        self._page_size = wide, layout.height
        self._draw_map(embedding, layout)
        self._paper = self._page_axes()
        for number, line in enumerate(title):
            y = margin + (number + 0.5) * LINE * 1.2 * size
            self._text(margin, y, line, 1.2 * size)
        if bar and layout.lines > _BAR_LEAST:
            self._draw_bar(layout)
        elif texts:
            self._draw_legend(layout, texts)
        if config.names == "beside" and colouring.names:
            self._draw_names(places, layout, top)

    def _page_axes(self) -> Axes:
        """Return axes of the whole page, in points."""
        axes = self.figure.add_axes((0, 0, 1, 1))
        axes.patch.set_alpha(0)
        axes.set_xlim(0, self._page_size[0])
        axes.set_ylim(self._page_size[1], 0)
        axes.set_axis_off()
        return axes

    def _text(self, x: float, y: float, text: str, size: float) -> None:
        self._paper.text(
            x, y, text, fontsize=size, color=self._inks.letters, va="center_baseline"
        )

    def _draw_map(self, embedding: np.ndarray, layout: Layout) -> None:
        left, top, wide, high = layout.map
        page_wide, page_high = self._page_size
        axes = self.figure.add_axes(
            (left / page_wide, 1 - (top + high) / page_high, wide / page_wide, high / page_high)
        )
        axes.set_xlim(self._low[1], self._low[1] + self._span[1])
        axes.set_ylim(self._low[0] + self._span[0], self._low[0])
        area = wide * high / (1 + 2 * self._around) ** 2
        diameter = self._config.point_size or usual_diameter(len(embedding), area)
        draw_points(axes, embedding, self._colouring.colours, diameter)

    # -- what the colours mean ------------------------------------------------------

    def _legend_texts(self, most: float) -> list[str]:
        if self._config.names != "legend":
            return []
        counts = [f"  {count:,}" for count in self._colouring.counts()]
        return [
            shortened(shown(name), most - self._measure(count), self._measure) + count
            for name, count in zip(self._colouring.names, counts, strict=True)
        ]

    def _draw_legend(self, layout: Layout, texts: list[str]) -> None:
        size, (left, top) = self._size, layout.legend
        left_out = len(texts) - layout.lines
        for column in layout.columns:
            for row, line in enumerate(column.lines):
                x, y = left + column.left, top + (row + 0.5) * LINE * size
                if left_out and line == layout.lines - 1:
                    self._text(x, y, f"… {left_out + 1:,} more", size)
                    continue
                self._dot(x + size * 0.45, y, self._colouring.palette[line])
                self._text(x + DOT * size, y, texts[line], size)

    def _dot(self, x: float, y: float, colour: np.ndarray) -> None:
        self._paper.scatter(
            [x], [y], s=(0.8 * self._size) ** 2, color=[colour], linewidths=0, zorder=3
        )

    def _ticks(self) -> tuple[list[float], list[str]]:
        from matplotlib.ticker import MaxNLocator

        low, high = self._colouring.limits or (0.0, 0.0)
        if not high > low:
            return [low], [f"{low:.6g}"]
        ticks = [t for t in MaxNLocator(5).tick_values(low, high) if low <= t <= high]
        return ticks, [f"{tick:,.6g}".replace("-", "−") for tick in ticks]

    def _bar_widths(self) -> list[float]:
        """Return the lines that a colour bar takes the place of: name, bar, what is missing."""
        bar = _BAR * MM * 72 + max(self._measure(text) for text in self._ticks()[1])
        return [max(bar, self._measure(text)) for text in self._bar_texts()] + [bar] * 11

    def _bar_texts(self) -> list[str]:
        most = 0.25 * self._config.width * MM * 72
        name = shortened(shown(self._colouring.column), most, self._measure)
        without = int((self._colouring.colours == missing_colour()).all(axis=1).sum())
        return [name, f"no value  {without:,}" if without else ""]

    def _draw_bar(self, layout: Layout) -> None:
        size, (left, top) = self._size, layout.legend
        wide, name, missing = _BAR * MM * 72, *self._bar_texts()
        line = LINE * size
        high = max(max(len(c.lines) for c in layout.columns) - 3, 2) * line
        self._text(left, top + line / 2, name, size)
        upper, lower = top + 1.5 * line, top + 1.5 * line + high
        self._paper.imshow(
            scale_colours()[:, None], extent=(left, left + wide, lower, upper),
            origin="lower", aspect="auto", interpolation="nearest",
        )  # fmt: skip
        self._paper.set_xlim(0, self._page_size[0])
        self._paper.set_ylim(self._page_size[1], 0)
        low, end = self._colouring.limits or (0.0, 0.0)
        for tick, text in zip(*self._ticks(), strict=True):
            y = lower - high * ((tick - low) / (end - low) if end > low else 0.5)
            x = left + wide
            self._paper.plot([x, x + 0.3 * size], [y, y], color=self._inks.letters, lw=0.6)
            self._text(x + 0.5 * size, y, text, size)
        if missing:
            self._dot(left + 0.45 * size, lower + line, missing_colour())
            self._text(left + DOT * size, lower + line, missing, size)

    # -- names beside the groups -------------------------------------------------------

    def _draw_names(self, places: np.ndarray, layout: Layout, top: float) -> None:
        left, upper, wide, high = layout.map
        size, page_wide = self._size, self._page_size[0]
        corner, scale = np.array([upper - top, left]), np.array([high, wide]) / self._span
        on_page = (places - self._low) * scale + corner
        colouring = self._colouring
        counts = colouring.counts()
        groups = np.array([g for g in proper_groups(colouring) if counts[g]], int)
        if not len(groups):
            return
        names = [
            shortened(shown(colouring.names[g]), 0.3 * page_wide, self._measure) for g in groups
        ]
        sizes = np.array([[1.35 * size, self._measure(n) + (DOT + 0.5) * size] for n in names])
        anchors = dense_places(on_page, colouring.codes, groups)
        room = (self._page_size[1] - top, page_wide)
        middles = place_names(on_page, anchors, sizes, room)
        for group, name, anchor, middle, box in zip(
            groups, names, anchors, middles, sizes, strict=True
        ):
            y, x = middle - box / 2 + (top, 0.0)
            edge = np.clip(anchor, middle - box / 2, middle + box / 2)
            if np.linalg.norm(edge - anchor) > 1.2 * size:
                self._paper.plot(
                    [edge[1], anchor[1]], [edge[0] + top, anchor[0] + top],
                    color=self._inks.letters, lw=0.07 * size, alpha=0.7, zorder=1.5,
                )  # fmt: skip
            self._under(x, y, box)
            self._dot(x + 0.65 * size, y + box[0] / 2, colouring.palette[group])
            self._text(x + (DOT + 0.2) * size, y + box[0] / 2, name, size)

    def _under(self, x: float, y: float, box: np.ndarray) -> None:
        """Put a pane under a name, so that it can be read on points."""
        from matplotlib.patches import FancyBboxPatch

        high, wide = box
        around = 0.3 * self._size
        self._paper.add_patch(
            FancyBboxPatch(
                (x + around, y + around),
                wide - 2 * around,
                high - 2 * around,
                boxstyle=f"round,pad={around}",
                facecolor=self._inks.page,
                alpha=0.78,
                linewidth=0,
                zorder=2,
            )
        )


def _measure(size: float) -> Callable[[str], float]:
    """Return what says how wide a text is, in points."""
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.font_manager import FontProperties

    renderer, letters = RendererAgg(1, 1, 72), FontProperties(family=fonts(), size=size)

    def width(text: str) -> float:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
            drawn = renderer.get_text_width_height_descent(text, letters, False)[0]
            return 1.04 * float(drawn)  # at other resolutions letters are a little wider

    return width
