"""A page of a figure: a title, room for what is drawn, and what its colours mean."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_patchmap.explore.colouring import Colouring, scale_colours
from napari_patchmap.explore.palette import missing_colour
from napari_patchmap.runs.drawing.figure_config import PageConfig
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

#: Margin of a page and width of a colour bar, in mm; both in points below.
MARGIN, _BAR = 2.0, 3.0

#: Lines of which more are needed for a bar, with its name and what has no value.
_BAR_LEAST = 4


class LegendPage:
    """One page while it is drawn; all lengths in points, from the upper left corner.

    Parameters
    ----------
    colouring : Colouring
    config : PageConfig
    aspect : float
        Height of what is drawn by its width.
    height : float, optional
        Of the page, in mm; as it is needed by default.
    legend, bar : bool
        Whether groups are named beside what is drawn, and a colour bar stands there.
    room : float, optional
        How high the room for what is drawn is, over the whole width; nothing is beside it.

    Attributes
    ----------
    figure : Figure
    inks : Inks
    size : float
        Of the letters.
    measure : callable
        Says how wide a text of that size is.
    width, height : float
    top : float
        Where the title ends.
    box : (left, top, width, height)
        The room for what is drawn.

    Raises
    ------
    RunError
        If the page has more pixels than can be drawn.
    """

    def __init__(
        self, colouring: Colouring, config: PageConfig, aspect: float = 1.0,
        *, height: float | None = None, legend: bool = False, bar: bool = False,
        room: float | None = None,
    ) -> None:  # fmt: skip
        self.config, self.colouring = config, colouring
        self.inks: Inks = INKS[config.look]
        self.size = size = config.font_size
        self.measure = text_widths(size)
        self.width = wide = config.width * MM * 72
        high = None if height is None else height * MM * 72
        margin = MARGIN * MM * 72
        above = text_widths(1.2 * size)
        self._title = wrapped(config.title, wide - 2 * margin, above) if config.title else []
        self.top = margin + (len(self._title) * LINE * 1.2 + 0.4) * size * bool(self._title)
        self._texts = self._legend_texts(0.5 * (wide - 2 * margin)) if legend else []
        widths = [self.measure(text) for text in self._texts]
        self._has_bar = bar and colouring.limits is not None
        if self._has_bar:
            widths = self._bar_widths()
        if room is None:
            self._layout = lay_out(
                widths, size, aspect, (wide, high), self.top, margin, one_column=self._has_bar
            )
        else:
            box = margin, self.top, wide - 2 * margin, room
            self._layout = Layout(self.top + room + margin, box, (0.0, 0.0))
        self.box = self._layout.map
        dot = 72 / config.dpi  # so that pictures lie on whole pixels
        self.height = high or math.ceil(self._layout.height / dot - 1e-6) * dot
        self.figure = new_page(config.width, self.height / 72 / MM, config.dpi, config.look)

    def axes(self, box: tuple[float, float, float, float]) -> Axes:
        """Return axes in a part of the page: left, top, width, height."""
        left, top, wide, high = box
        return self.figure.add_axes(
            (left / self.width, 1 - (top + high) / self.height, wide / self.width,
             high / self.height)
        )  # fmt: skip

    @cached_property
    def paper(self) -> Axes:
        """Axes of the whole page, in points."""
        axes = self.figure.add_axes((0, 0, 1, 1))
        axes.patch.set_alpha(0)
        axes.set_xlim(0, self.width)
        axes.set_ylim(self.height, 0)
        axes.set_axis_off()
        return axes

    def text(self, x: float, y: float, text: str, size: float = 0.0, **more: Any) -> None:
        """Write a line whose middle is at a height; of the usual size where none is given."""
        given = {"color": self.inks.letters, "va": "center_baseline", **more}
        self.paper.text(x, y, text, fontsize=size or self.size, **given)

    def dot(self, x: float, y: float, colour: np.ndarray) -> None:
        """Draw the dot of a colour, as high as letters."""
        self.paper.scatter(
            [x], [y], s=(0.8 * self.size) ** 2, color=[colour], linewidths=0, zorder=3
        )

    def write_title(self) -> None:
        """Write the title, if there is one."""
        margin, size = MARGIN * MM * 72, 1.2 * self.size
        for number, line in enumerate(self._title):
            self.text(margin, margin + (number + 0.5) * LINE * size, line, size)

    def name_colours(self) -> None:
        """Draw the legend, or the colour bar, where there is room for it."""
        if self._has_bar and self._layout.lines > _BAR_LEAST:
            self._draw_bar()
        elif self._texts:
            self._draw_legend()

    def _legend_texts(self, most: float) -> list[str]:
        counts = [f"  {count:,}" for count in self.colouring.counts()]
        return [
            shortened(shown(name), most - self.measure(count), self.measure) + count
            for name, count in zip(self.colouring.names, counts, strict=True)
        ]

    def _draw_legend(self) -> None:
        layout, texts = self._layout, self._texts
        size, (left, top) = self.size, layout.legend
        left_out = len(texts) - layout.lines
        for column in layout.columns:
            for row, line in enumerate(column.lines):
                x, y = left + column.left, top + (row + 0.5) * LINE * size
                if left_out and line == layout.lines - 1:
                    self.text(x, y, f"… {left_out + 1:,} more", size)
                    continue
                self.dot(x + size * 0.45, y, self.colouring.palette[line])
                self.text(x + DOT * size, y, texts[line], size)

    def _ticks(self) -> tuple[list[float], list[str]]:
        from matplotlib.ticker import MaxNLocator

        low, high = self.colouring.limits or (0.0, 0.0)
        if not high > low:
            return [low], [f"{low:.6g}"]
        ticks = [t for t in MaxNLocator(5).tick_values(low, high) if low <= t <= high]
        return ticks, [f"{tick:,.6g}".replace("-", "−") for tick in ticks]

    def _bar_widths(self) -> list[float]:
        """Return the lines that a colour bar takes the place of: name, bar, what is missing."""
        bar = _BAR * MM * 72 + max(self.measure(text) for text in self._ticks()[1])
        return [max(bar, self.measure(text)) for text in self._bar_texts()] + [bar] * 11

    def _bar_texts(self) -> list[str]:
        most = 0.25 * self.config.width * MM * 72
        name = shortened(shown(self.colouring.column), most, self.measure)
        without = int((self.colouring.colours == missing_colour()).all(axis=1).sum())
        return [name, f"no value  {without:,}" if without else ""]

    def _draw_bar(self) -> None:
        layout = self._layout
        size, (left, top) = self.size, layout.legend
        wide, name, missing = _BAR * MM * 72, *self._bar_texts()
        line = LINE * size
        high = max(max(len(c.lines) for c in layout.columns) - 3, 2) * line
        self.text(left, top + line / 2, name, size)
        upper, lower = top + 1.5 * line, top + 1.5 * line + high
        self.paper.imshow(
            scale_colours()[:, None], extent=(left, left + wide, lower, upper),
            origin="lower", aspect="auto", interpolation="nearest",
        )  # fmt: skip
        self.paper.set_xlim(0, self.width)
        self.paper.set_ylim(self.height, 0)
        low, end = self.colouring.limits or (0.0, 0.0)
        for tick, text in zip(*self._ticks(), strict=True):
            y = lower - high * ((tick - low) / (end - low) if end > low else 0.5)
            x = left + wide
            self.paper.plot([x, x + 0.3 * size], [y, y], color=self.inks.letters, lw=0.6)
            self.text(x + 0.5 * size, y, text, size)
        if missing:
            self.dot(left + 0.45 * size, lower + line, missing_colour())
            self.text(left + DOT * size, lower + line, missing, size)


def text_widths(size: float) -> Callable[[str], float]:
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
