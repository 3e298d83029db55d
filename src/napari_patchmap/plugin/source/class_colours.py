"""Colours of the map on one image: on the objects of a Labels layer, or on tiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from napari.viewer import Viewer

from napari_patchmap.explore.number_codes import NumberCodes
from napari_patchmap.explore.patch_colours import HIDDEN, PatchColours
from napari_patchmap.explore.tile_image import TileImage
from napari_patchmap.plugin.canvas.two_views import OVERLAY
from napari_patchmap.plugin.napari_private import CodedColormap
from napari_patchmap.plugin.source.place import Place

#: How much of its colour is put on a tile, so that the tissue shows through.
_OPACITY = 0.4


class Painted(Protocol):
    """One image whose patches can have colours."""

    place: Place

    def show(self, colours: PatchColours, frame: int, visible: bool) -> None:
        """Give the patches of a frame their colours."""

    def put_away(self) -> None:
        """Leave the image as it was."""


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
    """

    def __init__(
        self, place: Place, viewer: Callable[[], Viewer], seen: Callable[[Any], None]
    ) -> None:
        self.place, self._viewer, self._seen = place, viewer, seen
        self.layer: Labels | None = None
        self._image = TileImage(place.boxes, place.picture.size)
        self._shown: tuple[PatchColours, int] | None = None
        self._frame = -1
        self._rows = np.empty(0, np.intp)

    def show(self, colours: PatchColours, frame: int, visible: bool) -> None:
        """Give the tiles of a frame their colours, unless the image is not to be seen."""
        place = self.place
        if visible and place.shown:
            before = self._shown
            if before is None or before[0] is not colours or before[1] != frame:
                self._paint(colours, frame)
            layer = self._in_viewer()
            matrix = place.matrix(self._image.step, self._image.corner)
            if not np.array_equal(layer.affine.affine_matrix[-3:, -3:], matrix):
                layer.affine = matrix
            layer.visible = True
        elif self.layer is not None:
            self.layer.visible = False

    def _paint(self, colours: PatchColours, frame: int) -> None:
        place = self.place
        numbers = None
        if frame != self._frame:
            self._frame, self._rows = frame, np.flatnonzero(place.frames == frame)
            numbers = self._image.numbers(self._rows)
        if self.layer is None:
            self.layer = Labels(
                np.zeros((1, 1), np.int32), name=f"{place.layer.name} (colours)",
                opacity=_OPACITY, metadata={OVERLAY: True}, visible=False,
            )  # fmt: skip
            self.layer.editable = False
            self.layer.events.visible.connect(self._seen)
        if numbers is not None:
            self.layer.data = numbers
        codes = np.append(HIDDEN, colours.codes[place.rows[self._rows]])
        known = NumberCodes(np.arange(len(codes)), codes)
        self.layer.colormap = CodedColormap.of(known, colours.palette, self.layer)
        self._shown = (colours, frame)

    def _in_viewer(self) -> Labels:
        """Put the layer right above its image, below all that lies on it."""
        layer, layers = self.layer, self._viewer().layers
        assert layer is not None
        if layer not in layers:
            active = layers.selection.active
            layers.insert(layers.index(self.place.layer) + 1, layer)
            layers.selection.active = active
        return layer

    def put_away(self) -> None:
        """Take the layer out of the viewer; it comes back as a person left it."""
        self._shown = None
        if self.layer is not None and self.layer in self._viewer().layers:
            self._viewer().layers.remove(self.layer)
