"""Fading the points that are not selected, all at once and without touching their colours."""

from __future__ import annotations

import weakref

from napari.layers import Points
from napari.viewer import Viewer
from vispy.visuals.filters import Filter

from napari_patchmap.plugin.napari_private import markers_of
from napari_patchmap.plugin.of_viewer import OfViewer
from napari_patchmap.plugin.qt.theme import theme_colour

#: How much of the canvas's colour a faded point takes.
_SHARE = 0.8


class Fade(OfViewer):
    """Mixes the points of some layers with the colour of the canvas.

    Paler points, unlike points that are seen through, do not add up to full colour
    where they are many. And as the graphics card mixes, selecting a few of many
    points does not mean to colour all of them again.
    """

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer)
        self._filters: weakref.WeakKeyDictionary[Points, Mix] = weakref.WeakKeyDictionary()

    def set(self, layers: list[Points], faded: bool) -> None:
        """Fade the points of some layers, or show them in full colour."""
        colour = theme_colour(self.viewer, "canvas").getRgbF()[:3]
        for layer in layers:
            markers = markers_of(self.viewer, layer)
            if markers is None:
                continue
            if layer not in self._filters:
                self._filters[layer] = Mix()
                markers.attach(self._filters[layer])
            self._filters[layer].mix(colour, _SHARE if faded else 0.0)
            markers.update()


class Mix(Filter):
    """Replaces a share of what is painted by one colour; opacity stays."""

    _CODE = """
        void mix_in() {
            gl_FragColor.rgb = mix(gl_FragColor.rgb, $colour, $share);
        }
    """

    def __init__(self) -> None:
        super().__init__(fcode=self._CODE)
        self.mix((0.0, 0.0, 0.0), 0.0)

    def mix(self, colour: tuple[float, ...], share: float) -> None:
        """Take a colour (red, green, blue) and its share, 0 to 1."""
        self.fshader["colour"], self.fshader["share"] = tuple(colour), float(share)
