"""The map, and lines from places on it to the patches that lie there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_patchmap.errors import RunError
from napari_patchmap.explore.colouring import proper_groups
from napari_patchmap.patches import PatchSet
from napari_patchmap.runs.drawing.drawable import Drawable
from napari_patchmap.runs.drawing.figure_config import PageConfig
from napari_patchmap.runs.drawing.framed_pictures import FramedPictures
from napari_patchmap.runs.drawing.legend_page import MARGIN, LegendPage, text_widths
from napari_patchmap.runs.drawing.map_frame import MapFrame
from napari_patchmap.runs.drawing.name_places import dense_apart, dense_rows
from napari_patchmap.runs.drawing.page_layout import LINE, shortened
from napari_patchmap.runs.drawing.paper import MM, shown
from napari_patchmap.runs.drawing.tip_places import Ring, assign, ring_around
from napari_patchmap.settings import setting

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Sides of a picture: usual, of the page's width and at least, mm; the smallest; what each
#: try leaves.
_USUAL, _SEEN, _SMALLEST, _LESS = 0.045, 5.0, 2.5, 0.92

#: Bold letters are so much wider.
_BOLD = 1.13

#: Between pictures of a tip, of their side; between tips, mm; around the map, of the map.
_BETWEEN, _GAP, _AROUND = 0.08, 1.6, 0.01

#: Without classes no two places are closer than this share of the map.
_APART = 0.1


@dataclass(frozen=True)
class TipsConfig(PageConfig):
    """Settings of the tips of a map."""

    at: tuple[float, ...] | None = setting(
        None,
        "numbers of the patches that are pointed at; where each class is densest when not "
        "given, or without classes where the map is",
        label="Patch numbers",
    )
    most: int = setting(
        18,
        "tips at most where no patches are named, the largest classes first",
        low=1,
        high=80,
        label="Tips at most",
    )
    examples: int = setting(
        3, "patches that each tip shows, those nearest the place on the map", low=1, high=8
    )
    picture: float | None = setting(
        None, "side of a picture; smaller where there would be no room", unit="mm", low=1.0,
        high=200.0, label="Picture size",
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class TipsPage:
    """A page with tips, and where they are on it: shares of its width and its height.

    Parameters
    ----------
    figure : Figure
    patches : ndarray of int, shape (m,)
        Number of the patch that each tip points at.
    boxes : ndarray, shape (m, 4)
        Left, top, width and height of each tip.
    """

    figure: Figure
    patches: np.ndarray
    boxes: np.ndarray


def draw_tips(given: Drawable, config: TipsConfig) -> Figure:
    """Draw a map with tips (Nwabufo et al., figure 4).

    A tip is the patches nearest a place on the map, each in the colour of its own class,
    below the name of the class of the place.

    Raises
    ------
    RunError
        If there is no room for them, or no such patch, or the images are gone.
    """
    return draw_tips_moved(given, config, {}).figure


def draw_tips_moved(
    given: Drawable, config: TipsConfig, moved: Mapping[int, tuple[float, float]]
) -> TipsPage:
    """Draw a map with tips of which some were moved by hand.

    ``moved`` has the middles of tips, in shares of the page from its left and from its top,
    by the number of the patch that they point at.
    """
    rows = _pointed_at(given, config)  # before images are opened in vain
    patches, there = given.pictured()
    frame = MapFrame.of(given.embedding, _AROUND)
    layout = _Layout(given, config, frame, rows)
    page, ring = layout.page, layout.ring
    left, top = page.box[:2]
    box = ring.map[0] + left, ring.map[1] + top, *ring.map[2:]
    frame.draw(page, given.embedding, box)
    points = frame.on_page(given.embedding[rows], box)[:, ::-1]
    corner = np.array([left, top])
    chosen = assign(points, ring.ends + corner)
    corners, ends = ring.corners[chosen] + corner, ring.ends[chosen] + corner
    whole = np.array([page.width, page.height])
    for number, patch in enumerate(given.rows[rows].tolist()):
        if patch in moved:
            corner = np.array(moved[patch]) * whole - layout.sides / 2
            corners[number] = np.clip(corner, 0, np.maximum(whole - layout.sides, 0))
            ends[number] = np.clip(
                points[number], corners[number], corners[number] + layout.sides
            )
    nearest = _nearest(given, rows, there, config.examples)
    for point, end, row in zip(points, ends, rows, strict=True):
        _draw_line(page, point, end, given.colouring.colours[row])
    for row, corner, some in zip(rows, corners, nearest, strict=True):
        layout.write(row, corner, some, patches)
    page.write_title()
    boxes = np.concatenate([corners, np.tile(layout.sides, (len(rows), 1))], axis=1)
    return TipsPage(page.figure, given.rows[rows], boxes / np.tile(whole, 2))


def _pointed_at(given: Drawable, config: TipsConfig) -> np.ndarray:
    """Return which of the patches are pointed at."""
    places, colouring = given.embedding[:, -2:], given.colouring
    if config.at is not None:
        return np.unique(given.numbered(config.at))
    counts = colouring.counts()
    groups = [int(g) for g in proper_groups(colouring) if counts[g]] if colouring.names else []
    if not groups:
        return dense_apart(places, config.most, _APART)
    largest = sorted(groups, key=lambda group: -int(counts[group]))[: config.most]
    return dense_rows(places, colouring.codes, np.array(sorted(largest)))


def _nearest(
    given: Drawable, rows: np.ndarray, there: np.ndarray, count: int
) -> list[np.ndarray]:
    """Return the patches with an image that are nearest to each of some on the map."""
    have = np.flatnonzero(there)
    places, found = given.embedding[have][:, -2:], []
    for row in rows:
        away = ((places - given.embedding[row, -2:]) ** 2).sum(axis=1)
        found.append(have[np.argsort(away, kind="stable")[:count]])
    return found


def _draw_line(
    page: LegendPage, point: np.ndarray, end: np.ndarray, colour: np.ndarray
) -> None:
    """Draw a line that is to be seen on points and on paper, and where it leads."""
    x, y = np.stack([point, end], axis=1)
    thin, across = 0.08 * page.size, 0.55 * page.size
    for ink, wide in ((page.inks.page, 3.2 * thin), (page.inks.letters, thin)):
        page.paper.plot(x, y, color=ink, lw=wide, solid_capstyle="round", zorder=2)
    page.paper.scatter(
        x[:1], y[:1], s=across**2, color=[colour], edgecolors=page.inks.letters,
        linewidths=1.5 * thin, zorder=3,
    )  # fmt: skip


class _Layout:
    """The page of some tips, and how large those are: the largest pictures with room."""

    def __init__(
        self, given: Drawable, config: TipsConfig, frame: MapFrame, rows: np.ndarray
    ) -> None:
        self._given, self._config = given, config
        colouring, size = given.colouring, config.font_size
        width, gap = (config.width - 2 * MARGIN) * MM * 72, _GAP * MM * 72
        widths = text_widths(size)
        self._measure = lambda text: _BOLD * widths(text)
        named = (
            [shown(colouring.names[c]) for c in colouring.codes[rows]]
            if colouring.names
            else []
        )
        self._line = LINE * size if named else 0.0
        longest = max(map(self._measure, named), default=0.0)
        self.side = (config.picture or max(_SEEN, _USUAL * config.width)) * MM * 72
        found: Ring | None = None
        while found is None:
            if self.side < _SMALLEST * MM * 72:
                raise RunError(
                    f"There is no room for {len(rows)} tips of {config.examples} patches on "
                    f"{config.width:g} mm; choose fewer of them, fewer examples, or a "
                    "wider page."
                )
            across = config.examples * self.side * (1 + _BETWEEN) - self.side * _BETWEEN
            wide = max(across, min(longest, 1.4 * across))
            self.sides = np.array([wide, self.side + self._line])
            found = ring_around(
                len(rows), (wide, self.side), self._line, frame.aspect, width, gap
            )
            if found is None:
                self.side *= _LESS
        self.ring: Ring = found
        self.page = LegendPage(colouring, config, room=found.height)

    def write(
        self, row: int, corner: np.ndarray, nearest: np.ndarray, patches: PatchSet
    ) -> None:
        """Draw the tip of a patch: the name of its class, and what lies there."""
        page, colouring, (x, y) = self.page, self._given.colouring, corner
        wide = self.sides[0]
        if colouring.names:
            name = shown(colouring.names[colouring.codes[row]])
            name = shortened(name, wide, self._measure)
            page.text(
                x + wide / 2, y + 0.45 * self._line, name, ha="center", weight="bold",
                color=readable(colouring.colours[row, :3], page.config.look), zorder=6,
            )  # fmt: skip
        pictures = FramedPictures(page, patches, self._given.watch)
        step = self.side * (1 + _BETWEEN)
        x += (wide - step * len(nearest) + self.side * _BETWEEN) / 2
        for place, one in enumerate(nearest.tolist()):
            colour = colouring.colours[one, :3]
            pictures.put(
                int(self._given.rows[one]), x + place * step, y + self._line, self.side, colour
            )


def readable(colour: np.ndarray, look: str) -> np.ndarray:
    """Return a colour as dark, or on a dark page as light, as letters must be."""
    luminance = float(np.asarray(colour, float) @ (0.2126, 0.7152, 0.0722))
    if look == "dark":
        return np.asarray(colour + (1 - colour) * max(0.0, 0.45 - luminance))
    return np.asarray(colour * min(1.0, 0.42 / max(luminance, 1e-6)))
