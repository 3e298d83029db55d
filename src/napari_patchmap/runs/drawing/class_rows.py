"""Rows of examples: what the patches of each class look like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_patchmap.errors import RunError
from napari_patchmap.explore.colouring import proper_groups
from napari_patchmap.runs.drawing.drawable import Drawable
from napari_patchmap.runs.drawing.figure_config import PageConfig
from napari_patchmap.runs.drawing.framed_pictures import FramedPictures
from napari_patchmap.runs.drawing.legend_page import MARGIN, LegendPage, text_widths
from napari_patchmap.runs.drawing.page_layout import LINE, shortened
from napari_patchmap.runs.drawing.paper import MM, shown
from napari_patchmap.settings import setting

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Share of the page that names may take, of a picture between two, and its largest side (mm).
_NAMES, _GAP, _LARGEST = 0.3, 0.08, 25.0


@dataclass(frozen=True)
class ClassRowsConfig(PageConfig):
    """Settings of the rows of examples."""

    each: int = setting(
        12,
        "examples of each class",
        low=1,
        high=60,
        label="Of each class",
    )
    pick: Literal["random", "typical"] = setting(
        "random",
        "which examples: at random, or those nearest the middle of their class, by its "
        "features where the run has some",
        label="Examples",
    )
    seed: int = setting(0, "of the random choice", low=0)


def draw_class_rows(given: Drawable, config: ClassRowsConfig) -> Figure:
    """Draw a row for each class: its name, how many patches it has, and examples.

    Raises
    ------
    RunError
        If there are no classes, the images are gone, or the page is too large.
    """
    colouring = given.colouring
    counts = colouring.counts()
    groups = [int(g) for g in proper_groups(colouring) if counts[g]] if colouring.names else []
    if not groups:
        raise RunError(
            "There are no classes to show examples of; label the patches, or colour by a "
            "column with groups."
        )
    patches, there = given.pictured()
    size, width = config.font_size, (config.width - 2 * MARGIN) * MM * 72
    measure = text_widths(size)
    names = [shortened(shown(colouring.names[g]), _NAMES * width, measure) for g in groups]
    numbers = [f"{counts[g]:,}" for g in groups]
    beside = max(map(measure, [*names, *numbers])) + 1.2 * size
    side = min((width - beside) / config.each / (1 + _GAP), _LARGEST * MM * 72)
    pitch = max(side * (1 + _GAP), 2.2 * LINE * size)
    page = LegendPage(colouring, config, room=pitch * len(groups))
    pictures = FramedPictures(page, patches, given.watch)
    left, top = page.box[:2]
    for line, (group, name, number) in enumerate(zip(groups, names, numbers, strict=True)):
        colour, middle = colouring.palette[group], top + (line + 0.5) * pitch
        page.text(left, middle - 0.5 * LINE * size, name, weight="bold")
        page.text(left, middle + 0.5 * LINE * size, number, color=page.inks.lines)
        for place, row in enumerate(_examples(given, group, there, config)):
            x = left + beside + place * side * (1 + _GAP)
            pictures.put(given.rows[row], x, middle - side / 2, side, colour[:3])
    page.write_title()
    return page.figure


def _examples(
    given: Drawable, group: int, there: np.ndarray, config: ClassRowsConfig
) -> np.ndarray:
    """Choose examples of a class, as positions among the patches that are drawn."""
    members = np.flatnonzero((given.colouring.codes == group) & there)
    if config.pick == "random":
        # Of all rows, so that a class has the same examples whatever else is shown.
        rank = np.random.default_rng(config.seed).permutation(len(given.rows))[members]
    else:
        values = _looks(given, members)
        rank = ((values - values.mean(axis=0)) ** 2).sum(axis=1)
    return members[np.argsort(rank, kind="stable")[: config.each]]


def _looks(given: Drawable, members: np.ndarray) -> np.ndarray:
    """Return features of some patches, or their places on the map where there are none."""
    run = given.open_run()
    if run.dimensions:
        return np.asarray(run.features[given.rows[members]], np.float32)
    return np.asarray(given.embedding[members], np.float32)
