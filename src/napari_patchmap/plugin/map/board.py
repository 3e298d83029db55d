"""Where patches lie: on the map, and on other maps of the same patches beside it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from operator import is_
from textwrap import wrap

import numpy as np
from napari.layers import Points
from napari.viewer import Viewer

from napari_patchmap.explore.nearest import NearestPoint
from napari_patchmap.explore.paint_order import painting, ranks
from napari_patchmap.explore.side_by_side import set_apart, turned_like
from napari_patchmap.plugin.canvas.looking import canvas_size, depth, to_canvas
from napari_patchmap.plugin.map import marks
from napari_patchmap.plugin.map.patch_points import PatchPoints
from napari_patchmap.plugin.napari_private import choice_kept, cleaned_up_once
from napari_patchmap.plugin.of_viewer import OfViewer
from napari_patchmap.plugin.qt.theme import contrast

#: Letters in a line of a title, and what a letter and a line take, in pixels.
_WIDE, _LETTER, _LINE = 25, 8, 18

#: Share of the canvas that is left within the margins around a map.
_SEEN = 0.88


class Board(OfViewer):
    """The map and those beside it: their places, and which patch is where.

    The map itself stays where it is; the others are turned like it, made as large, and
    set into the cells of a grid that fits the canvas.

    Attributes
    ----------
    layers : dict of Points
        Those of the other maps by name, and their titles.
    maps : list of PatchPoints
        Those of the other maps, in the order in which they were given.
    """

    def __init__(self, viewer: Viewer, main: Callable[[], PatchPoints | None]) -> None:
        super().__init__(viewer)
        self._main = main
        self.layers: dict[str, Points] = {}
        self.maps: list[PatchPoints] = []
        self._title_room = 0.0  # in map units when all maps fill the canvas
        self._nearest: NearestPoint | None = None
        self._nearest_of: tuple[object, ...] = ()
        self._order = self._rank = np.empty(0, np.intp)
        self._lifted = np.empty(0, bool)

    # -- where patches lie ---------------------------------------------------------

    @property
    def _points(self) -> PatchPoints:
        main = self._main()
        assert main is not None
        return main

    @property
    def _shown(self) -> list[PatchPoints]:
        return [layer for layer in self.maps if layer.visible]

    @property
    def positions(self) -> np.ndarray:
        """Places of all patches, shape (maps * n, d): on the map, then on those beside it.

        Row i is patch ``i % n``.
        """
        beside = [layer.data for layer in self._shown]
        return np.concatenate([self._points.data, *beside]) if beside else self._points.data

    @property
    def whole(self) -> np.ndarray:
        """All that should be in view: the maps, and titles if there are any."""
        places = self.positions
        if not self.layers:
            return places
        above = places.min(axis=0)
        above[-2] -= self._title_room
        return np.vstack([places, above])

    @property
    def shown_things(self) -> tuple[object, ...]:
        """Objects that are others once patches lie elsewhere, or others are shown."""
        points = self._points
        return points.data, points.shown, *(layer.data for layer in self._shown)

    def rows(self, indices: np.ndarray) -> np.ndarray:
        """Return the rows of :attr:`positions` that some patches have."""
        maps = np.arange(1 + len(self._shown))[:, None] * len(self._points.data)
        rows: np.ndarray = (maps + indices).ravel()
        return rows

    # -- which patch is where --------------------------------------------------------

    @property
    def _to_be_found(self) -> np.ndarray:
        """Which rows of :attr:`positions` are shown."""
        return np.tile(self._points.shown, 1 + len(self._shown))

    def moved(self) -> None:
        """Look again where patches are; the map moved."""
        self._nearest = None

    @property
    def rank(self) -> np.ndarray:
        """For each row of :attr:`positions`, how many are painted before it."""
        rank = self.rank_of(np.arange(len(self._points.data)))
        return np.tile(rank, 1 + len(self._shown))

    def rank_of(self, indices: np.ndarray) -> np.ndarray:
        """Return how many patches are painted before each of some."""
        order = self._points.order
        if self._order is not order:
            self._order, self._rank = order, ranks(order)
        return self._rank[indices]

    def is_lifted(self, indices: np.ndarray) -> np.ndarray:
        """Return which of some patches are painted over all others."""
        if len(self._lifted) != len(self._points.data):  # while the map is just being made
            return np.zeros(len(indices), bool)
        return self._lifted[indices]

    def painting(self, chosen: np.ndarray) -> np.ndarray:
        """Return in which order the :meth:`rows` of some patches are painted, map by map."""
        own, maps = painting(self._points.order, chosen), 1 + len(self._shown)
        return (np.arange(maps)[:, None] * len(chosen) + own).ravel()

    def lift(self, chosen: np.ndarray) -> None:
        """Say which patches, by their indices, are painted over all others."""
        self._lifted = np.zeros(len(self._points.data), bool)
        self._lifted[chosen] = True

    @property
    def _looked_at(self) -> tuple[object, ...]:
        """What :meth:`look` depends on, but for the places."""
        return (self._points.shown, *self._shown)

    @property
    def stale(self) -> bool:
        """Whether patches have moved, or others are shown, since they were looked for."""
        key = self._looked_at
        same = len(key) == len(self._nearest_of) and all(map(is_, key, self._nearest_of))
        return self._nearest is None or not same

    def look(self) -> NearestPoint:
        """Sort the patches by where they are, unless that is known; from any thread.

        napari's status bar asks from another one, and very many are sorted in the background.
        """
        nearest = self._nearest
        if nearest is None or self.stale:
            key, among = self._looked_at, np.flatnonzero(self._to_be_found)
            nearest = self._nearest = NearestPoint(self.positions, self.rank, among)
            self._nearest_of = key
        return nearest

    def find(self, place: np.ndarray, size: float, radius: float, lifted_size: float) -> int:
        """Return the visible patch that is meant by a place (y, x), -1 for none.

        Sizes are radii in map units; see :meth:`NearestPoint.find`.
        """
        if self._main() is None:
            return -1
        nearest = self.look()
        lifted: np.ndarray | None = None  # while the map is just being made
        if len(self._lifted) == len(self._points.data):
            lifted = np.tile(self._lifted, 1 + len(self._shown))
        found = nearest.find(place, size, radius, lifted, lifted_size)
        return found % len(self._points.data) if found >= 0 else -1

    def find_on_canvas(self, pixel: np.ndarray, reach: float) -> int:
        """Return the visible patch in front at a pixel (x, y) of maps in 3-D, -1 for none."""
        if self._main() is None:
            return -1
        places = self.positions
        apart = np.linalg.norm(to_canvas(self.viewer, places) - pixel, axis=1)
        near = np.flatnonzero((apart <= reach) & self._to_be_found)
        if not len(near):
            return -1
        front = int(near[depth(self.viewer, places[near]).argmin()])
        return front % len(self._points.data)

    # -- the other maps ----------------------------------------------------------------

    def remove(self) -> None:
        """Take the other maps away."""
        layers, self.layers, self.maps, self._nearest = self.layers, {}, [], None
        if not layers:
            return
        with cleaned_up_once(self.viewer):
            for layer in layers.values():
                if layer in self.viewer.layers:
                    self.viewer.layers.remove(layer)

    def put_beside(self, title: str, others: Sequence[tuple[str, np.ndarray]]) -> None:
        """Show these maps, and no others, beside the map, each under its title.

        ``title`` is that of the map itself; the others are as they were saved, shape (n, d).
        """
        self.remove()
        if not others:
            return
        self._make(title, others)
        viewer = self.viewer
        above = viewer.layers.index(self._points) + 1
        with choice_kept(viewer):
            for layer in reversed(self.layers.values()):  # below what marks patches
                viewer.layers.insert(above, layer)

    def _make(self, title: str, others: Sequence[tuple[str, np.ndarray]]) -> None:
        main, viewer = self._points, self.viewer
        embedding = np.asarray(main.data, np.float32)
        height, width = canvas_size(viewer)
        turned = [turned_like(one, embedding) for _, one in others]
        titles = [_wrapped(words) for words in (title, *(words for words, _ in others))]
        above = _LINE * (1.5 + max(words.count("\n") + 1 for words in titles))
        placed, pixel = set_apart(
            [embedding, *turned],
            (_SEEN * float(width), _SEEN * float(height)),
            (_WIDE * _LETTER, above),
        )
        self._title_room = above * pixel
        for (words, _), places in zip(others, placed[1:], strict=True):
            name = _free_name(f"{marks.BESIDE}{words.splitlines()[0]}", self.layers)
            layer = marks.map_points(places, main.features, np.asarray(main.face_color))
            layer.name = name
            layer.like(main)
            self.maps.append(layer)
            self.layers[name] = layer
        self.layers[marks.TITLES] = marks.titles(placed, titles, contrast(viewer))

    def restyle_points(self) -> None:
        """Give all points the size and opacity of the map's."""
        for layer in self.maps:
            layer.like(self._points)

    def restyle(self) -> None:
        """Write the titles so that they are legible on the canvas."""
        if marks.TITLES in self.layers:
            self.layers[marks.TITLES].text.color = contrast(self.viewer)


def _wrapped(words: str) -> str:
    """Break a title into lines that are about as wide as a small map."""
    return "\n".join(part for line in words.splitlines() for part in wrap(line, _WIDE))


def _free_name(wanted: str, taken: Collection[str]) -> str:
    """Number a name that is taken."""
    name, again = wanted, 2
    while name in taken:
        name, again = f"{wanted} ({again})", again + 1
    return name
