"""Colours of the map on one image: on the objects of a Labels layer, or on tiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from napari.layers import Labels, Layer
from napari.utils.colormaps import DirectLabelColormap
from napari.viewer import Viewer
from qtpy.compat import isalive
from qtpy.QtCore import QObject

from napari_patchmap.explore.number_codes import NumberCodes
from napari_patchmap.explore.patch_colours import HIDDEN, PatchColours
from napari_patchmap.explore.tile_image import TileImage
from napari_patchmap.plugin.canvas.two_views import OVERLAY
from napari_patchmap.plugin.napari_private import CodedColormap
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.source.place import Place

#: How much of its colour is put on a tile, so that the tissue shows through.
_OPACITY = 0.4


class Painted(Protocol):
    """One image whose patches can have colours."""

    place: Place

    def show(self, colours: PatchColours, frame: int, visible: bool) -> None:
        """Give the patches of a frame their colours."""

    def put_away(self) -> None:
        """Leave the image as it was, until it is painted again."""

    def leave(self) -> None:
        """Leave it as it was for good: its patches have gone."""


def lay_above(viewer: Viewer, layer: Layer, image: Layer) -> None:
    """Put a layer of ours right above its image, below all that lies on that."""
    layers = viewer.layers
    if layer not in layers and image in layers:  # which may just be going
        active = layers.selection.active
        layers.insert(layers.index(image) + 1, layer)
        layers.selection.active = active


class PaintedObjects:
    """The objects of a Labels layer; its colours are put back when nothing is painted.

    Parameters
    ----------
    place : Place
        Of a Labels layer.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self._former: object = None
        self._shown: tuple[PatchColours, int] | None = None

    @property
    def _layer(self) -> Labels:
        assert isinstance(self.place.layer, Labels)
        return self.place.layer

    def show(self, colours: PatchColours, frame: int, visible: bool) -> None:
        """Give the objects of a frame their colours, in three dimensions none."""
        place, layer = self.place, self._layer
        if not visible:
            self.put_away()
            return
        before = self._shown
        painted = isinstance(layer.colormap, CodedColormap)
        if painted and before is not None and before[0] is colours and before[1] == frame:
            return
        if not painted:
            self._former = layer.colormap
        self._shown = (colours, frame)
        here = np.flatnonzero(place.frames == frame)
        # Between objects nothing is painted.
        numbers = np.append(place.ids[here], 0)
        codes = np.append(colours.codes[place.rows[here]], HIDDEN)
        layer.colormap = CodedColormap.of(NumberCodes(numbers, codes), colours.palette, layer)

    def put_away(self) -> None:
        """Give the layer the colours back that it had."""
        layer, former = self._layer, self._former
        self._former = self._shown = None
        if not isinstance(layer.colormap, CodedColormap):
            return  # a person has chosen others
        # Of its own, napari has a colormap of random colours and one by a dictionary: ours
        # took the place of the second, which nobody is to find there later.
        layer.colormap = DirectLabelColormap(color_dict={None: "black", 0: "transparent"})
        if former is not None and layer.colormap is not former:
            layer.colormap = former
        layer.colormap.use_selection = layer.show_selected_label
        layer.colormap.selection = layer.selected_label

    def leave(self) -> None:
        """Give the layer its colours back for good."""
        self.put_away()


class PaintedTiles:
    """Tiles, in a Labels layer of ours above their image: its values are their numbers.

    Parameters
    ----------
    place : Place
        Of an image that boxes were cut out of.
    viewer : callable
        Returns the viewer that the layer goes to.
    seen : callable
        Called by napari when the layer is shown or hidden.
    drawn : callable
        Called when the tiles of another frame have been drawn, in another thread: then it
        is time to show them.
    parent : QObject
        With it the drawing ends.
    """

    def __init__(
        self,
        place: Place,
        viewer: Callable[[], Viewer],
        seen: Callable[[Any], None],
        drawn: Callable[[], None],
        parent: QObject,
    ) -> None:
        self.place, self._viewer, self._drawn = place, viewer, drawn
        self.layer = Labels(
            np.zeros((1, 1), np.int32), name=f"{place.layer.name} (colours)",
            opacity=_OPACITY, metadata={OVERLAY: True}, visible=False,
        )  # fmt: skip
        self.layer.editable = False
        self.layer.events.visible.connect(seen)
        self._image = TileImage(place.boxes, place.picture.size)
        self._shown: PatchColours | None = None
        self._frame = -1  # that the layer holds the tiles of
        self._rows = np.empty(0, np.intp)
        self._drawing = Newest(parent, "Drawing tiles", self._on_drawn)
        self._asked = -1

    def show(self, colours: PatchColours, frame: int, visible: bool) -> None:
        """Give the tiles of a frame their colours, unless the image is not to be seen."""
        place, layer = self.place, self.layer
        if not (visible and place.shown):
            layer.visible = False
            return
        if frame != self._frame:
            layer.visible = False
            self._ask(frame)
            return
        if colours is not self._shown:
            self._shown = colours
            codes = np.append(HIDDEN, colours.codes[place.rows[self._rows]])
            known = NumberCodes(np.arange(len(codes)), codes)
            layer.colormap = CodedColormap.of(known, colours.palette, layer)
        matrix = place.matrix(self._image.step, self._image.corner)
        if not np.array_equal(layer.affine.affine_matrix[-3:, -3:], matrix):
            layer.affine = matrix
        lay_above(self._viewer(), layer, place.layer)
        layer.visible = True

    def _ask(self, frame: int) -> None:
        if frame != self._asked:
            self._asked, image, frames = frame, self._image, self.place.frames

            def draw(_: object) -> tuple[int, np.ndarray, np.ndarray]:
                rows = np.flatnonzero(frames == frame)
                return frame, rows, image.numbers(rows)

            self._drawing.ask(draw)

    def _on_drawn(self, made: tuple[int, np.ndarray, np.ndarray]) -> None:
        self._frame, self._rows, self.layer.data = made
        self._shown, self._asked = None, -1
        self._drawn()

    def put_away(self) -> None:
        """Take the layer out of the viewer; it comes back as a person left it."""
        if self.layer in self._viewer().layers:
            self._viewer().layers.remove(self.layer)

    def leave(self) -> None:
        """Draw no tiles any more."""
        self.put_away()
        if isalive(self._drawing):
            self._drawing.forget()
            self._drawing.deleteLater()
