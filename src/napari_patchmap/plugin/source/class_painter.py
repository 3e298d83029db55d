"""Paints the colours of the map on the images that its patches come from."""

from __future__ import annotations

from typing import Any

from napari.components.viewer_model import ViewerModel
from napari.layers import Labels
from napari.viewer import Viewer
from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer

from napari_patchmap.plugin.canvas.listening import Listening
from napari_patchmap.plugin.napari_private import CodedColormap
from napari_patchmap.plugin.of_viewer import OfViewer
from napari_patchmap.plugin.source.class_colours import Painted, PaintedObjects, PaintedTiles
from napari_patchmap.plugin.source.highlights import Places, ShowsImages
from napari_patchmap.plugin.source.image_colours import ImageColours
from napari_patchmap.plugin.source.painted_cells import PaintedCells
from napari_patchmap.plugin.source.place import Place


class ClassPainter(OfViewer, Listening):
    """Keeps the images of one viewer in the colours of the map.

    What people do to what is painted counts: other colours chosen for a Labels layer, or
    tiles hidden or deleted in napari's list, switch the painting off.

    Parameters
    ----------
    viewer : ViewerModel
    views : ShowsImages
        Tells whether images are to be seen. Where it shows images of another viewer, objects
        have their colours from there.
    places : Places
        The images, in this viewer.
    colours : ImageColours
        Whether to paint and in which colours; several viewers may follow one.
    parent : QObject
        Goes with the canvas.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        views: ShowsImages,
        places: Places,
        colours: ImageColours,
        parent: QObject,
    ) -> None:
        super().__init__(viewer)
        self._views, self._places, self._colours = views, places, colours
        self._parent = parent
        self._painted: list[Painted] = []
        self._objects = isinstance(viewer, Viewer)
        self.listen(colours.changed, self.paint)
        self.listen(places.refreshed, self.paint)
        self.listen(viewer.layers.events.removed, self._on_removed)

    def leave(self) -> None:
        """Follow nothing any more, and take away what was painted."""
        super().leave()
        with self._colours.quiet():
            for one in [*self._painted]:
                self._leave(one)

    def paint(self) -> None:
        """Paint what is not painted yet, and leave alone what is not to be painted."""
        colours, places = self._colours, self._places
        if colours.busy:
            return
        with colours.quiet():
            for one in [one for one in self._painted if one.place not in places.found]:
                self._leave(one)
            now = colours.now
            if now is None:
                for one in self._painted:
                    one.put_away()
                return
            for place in places.found:
                ours = self._objects or not isinstance(place.layer, Labels)
                if ours and all(one.place is not place for one in self._painted):
                    self._painted.append(self._follow(place))
            for one in self._painted:
                one.show(now, one.place.frame(self.viewer.dims.point), self._seen(one))

    def _seen(self, one: Painted) -> bool:
        places, on_map = self._places, self._views.now == "map"
        if isinstance(one, PaintedObjects):
            return on_map or places.flat  # the layer itself is hidden behind the map
        return not on_map and places.flat and one.place.source not in places.previewed

    def _follow(self, place: Place) -> Painted:
        if isinstance(place.layer, Labels):
            place.layer.events.colormap.connect(self._on_colormap)
            return PaintedObjects(place)
        if not place.outlined:
            return PaintedCells(place, lambda: self.viewer, self._on_hidden, self._parent)
        return PaintedTiles(
            place, lambda: self.viewer, self._on_hidden, self.paint, self._parent
        )

    def _leave(self, one: Painted) -> None:
        self._painted.remove(one)
        if isinstance(one, PaintedObjects):
            one.place.layer.events.colormap.disconnect(self._on_colormap)
        one.leave()

    # -- what people do --------------------------------------------------------------

    def _on_colormap(self, event: Any) -> None:
        if not isinstance(event.source.colormap, CodedColormap):
            self._give_up()

    def _on_hidden(self, event: Any) -> None:
        if not event.source.visible:
            self._give_up()

    def _on_removed(self, event: Any) -> None:
        ours = [one for one in self._painted if isinstance(one, (PaintedTiles, PaintedCells))]
        if any(one.layer is event.value for one in ours):
            self._give_up()

    def _give_up(self) -> None:
        """Switch off when napari is done with what it does now; it may close the window."""
        if not self._colours.busy and self._colours.now is not None:
            QTimer.singleShot(0, self._switch_off)

    def _switch_off(self) -> None:
        if isalive(self._parent) and self._places.found:
            self._colours.switch(False)
