"""Patches beside what the network of their run looks at in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_patchmap.explore.colouring import proper_groups
from napari_patchmap.runs.drawing.drawable import Drawable
from napari_patchmap.runs.drawing.figure_config import PageConfig
from napari_patchmap.runs.drawing.framed_pictures import FramedPictures
from napari_patchmap.runs.drawing.legend_page import MARGIN, LegendPage, text_widths
from napari_patchmap.runs.drawing.page_layout import LINE, shortened
from napari_patchmap.runs.drawing.paper import MM, shown
from napari_patchmap.runs.what_it_sees import WhatItSees
from napari_patchmap.settings import setting

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Between pictures that belong together and between others, in shares of a picture's side.
_BETWEEN, _GAP = 0.04, 0.16


@dataclass(frozen=True)
class AttentionConfig(PageConfig):
    """Settings of the figure of what a network looks at."""

    rows: tuple[float, ...] | None = setting(
        None,
        "numbers of the patches; some of each class when not given",
        label="Patch numbers",
    )
    each: int = setting(
        2,
        "patches of each class, or without classes ten times as many",
        low=1,
        high=20,
        label="Of each class",
    )
    seed: int = setting(0, "of their random choice", low=0)
    heads: bool = setting(
        False,
        "each head of the attention by itself as well, if the network has one",
        label="Each head",
    )
    picture: float = setting(
        14.0,
        "side of a picture, about",
        unit="mm",
        low=2.0,
        high=200.0,
        label="Picture size",
    )


def draw_attention(given: Drawable, config: AttentionConfig) -> Figure:
    """Draw patches, each beside itself with what the network looks at over it.

    What counts most is lightest; see :func:`napari_patchmap.networks.attention.attend`. With
    ``heads`` the mean over the heads comes first.

    Raises
    ------
    RunError
        If there are no such patches, the images are gone, or the page is too large.
    """
    rows = _chosen(given, config)
    patches, _ = given.pictured()
    sees = WhatItSees(given.open_run(), patches)
    found = []
    for row in rows:
        given.watch.check()
        found.append(sees.attended(given.rows[[row]]))
    maps = [[one.maps[0], *(one.heads[0] if config.heads else ())] for one in found]
    size, width = config.font_size, (config.width - 2 * MARGIN) * MM * 72
    across = 1 + len(maps[0])
    side = min(config.picture * MM * 72, width / (across * (1 + _BETWEEN)))
    wide = across * side * (1 + _BETWEEN) - _BETWEEN * side
    named = bool(given.colouring.names)
    columns = min(len(rows), max(1, int((width + _GAP * side) / (wide + _GAP * side))))
    if len(rows) > columns:  # the page is filled
        grown = width / (columns * (wide + _GAP * side) - _GAP * side)
        side, wide = side * grown, wide * grown
    pitch = side * (1 + _GAP) + LINE * size * named
    lines = -(-len(rows) // columns)
    page = LegendPage(given.colouring, config, room=lines * pitch)
    pictures, measure = FramedPictures(page, patches, given.watch), text_widths(size)
    left, top = page.box[:2]
    for place, (row, own) in enumerate(zip(rows.tolist(), maps, strict=True)):
        x = left + place % columns * (wide + _GAP * side)
        y = top + place // columns * pitch
        colour = None
        if named:
            name = shown(given.colouring.names[given.colouring.codes[row]])
            page.text(x, y + 0.5 * LINE * size, shortened(name, wide, measure))
            y, colour = y + LINE * size, given.colouring.colours[row, :3]
        patch = int(given.rows[row])
        pictures.put(patch, x, y, side, colour)
        inside = pictures.room(side, colour)
        for number, weights in enumerate(own, 1):
            rgb = sees.over(patch, inside, weights)
            pictures.put_pixels(rgb, x + number * side * (1 + _BETWEEN), y, side, colour)
    page.write_title()
    return page.figure


def _chosen(given: Drawable, config: AttentionConfig) -> np.ndarray:
    """Return which of the patches are drawn: those of a class beside each other."""
    if config.rows is not None:
        return given.numbered(config.rows)
    _, there = given.pictured()
    order = np.random.default_rng(config.seed).permutation(len(given.rows))
    order = order[there[order]]
    groups: np.ndarray | list[int] = []
    if given.colouring.names:
        groups = proper_groups(given.colouring)
    some = [order[given.colouring.codes[order] == group][: config.each] for group in groups]
    return np.concatenate(some) if some else order[: 10 * config.each]
