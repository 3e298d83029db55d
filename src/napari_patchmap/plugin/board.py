"""Other maps of the same patches beside the map, and the titles above all of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from textwrap import wrap

import numpy as np
from napari.layers import Points
from napari.viewer import Viewer

from napari_patchmap.explore.side_by_side import set_apart, turned_like
from napari_patchmap.plugin import marks
from napari_patchmap.plugin.theme import contrast
from napari_patchmap.plugin.views import canvas_size

#: Letters in a line of a title, and what a letter and a line take, in pixels.
_WIDE, _LETTER, _LINE = 25, 8, 18

#: Share of the canvas that is left within the margins around a map.
_SEEN = 0.88


class Board:
    """Where several maps lie, and the layers of those beside the map itself.

    The map itself stays where it is; the others are turned like it, made as large, and
    set into the cells of a grid that fits the canvas.

    Attributes
    ----------
    layers : dict of Points
        By name; the titles are the last of them.
    title_room : float
        Height of the titles, in map units when all maps fill the canvas.
    """

    def __init__(self) -> None:
        self.layers: dict[str, Points] = {}
        self.title_room = 0.0
        self._maps: list[Points] = []

    @property
    def maps(self) -> list[Points]:
        """The layers of the other maps, in the order in which they were given."""
        return self._maps

    @property
    def shown(self) -> list[Points]:
        """The layers of the other maps that are to be seen."""
        return [layer for layer in self._maps if layer.visible]

    def make(
        self,
        viewer: Viewer,
        main: Points,
        title: str,
        others: Sequence[tuple[str, np.ndarray]],
    ) -> dict[str, Points]:
        """Make the layers of other maps, to be added to the viewer.

        Parameters
        ----------
        viewer : Viewer
        main : Points
            The map; the others take its looks.
        title : str
            Written above it.
        others : sequence of (str, ndarray)
            Title, of a line or two, and map as it was saved, shape (n, d).
        """
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
        self.title_room = above * pixel
        self._maps, self.layers = [], {}
        for (words, _), places in zip(others, placed[1:], strict=True):
            name = free_name(f"{marks.BESIDE}{words.splitlines()[0]}", self.layers)
            layer = marks.map_points(places, main.features, np.asarray(main.face_color))
            layer.name, layer.size = name, float(main.size[0])
            self._maps.append(layer)
            self.layers[name] = layer
        if others:
            self.layers[marks.TITLES] = marks.titles(placed, titles, contrast(viewer))
        return self.layers

    def forget(self) -> list[Points]:
        """Return the layers, which are no longer the board's."""
        layers, self.layers, self._maps = list(self.layers.values()), {}, []
        return layers

    def paint(self, colours: np.ndarray) -> None:
        """Give all points the colours of the map's."""
        for layer in self._maps:
            layer.face_color = colours

    def restyle(self, viewer: Viewer) -> None:
        """Write the titles so that they are legible on the canvas."""
        if marks.TITLES in self.layers:
            self.layers[marks.TITLES].text.color = contrast(viewer)


def _wrapped(words: str) -> str:
    """Break a title into lines that are about as wide as a small map."""
    return "\n".join(part for line in words.splitlines() for part in wrap(line, _WIDE))


def free_name(wanted: str, taken: Collection[str]) -> str:
    """Number a name that is taken."""
    name, again = wanted, 2
    while name in taken:
        name, again = f"{wanted} ({again})", again + 1
    return name
