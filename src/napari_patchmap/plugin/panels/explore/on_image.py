"""The colours of the map on the images: shown there, and as a new layer to save."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QCheckBox, QWidget

from napari_patchmap.explore.patch_colours import PatchClasses, patch_classes
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.qt.basics import button, column, row
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.qt.work_bar import WorkBar
from napari_patchmap.plugin.source.class_layer import (
    ClassPicture,
    class_layer,
    class_pictures,
)

_HELP = (
    "Objects and tiles have, on their image, the colours that their points have on the map, "
    "and follow what you annotate; cells of a slide are dots from afar. Objects of a Labels "
    "layer get their former colours back "
    "when this is switched off."
)
_NEW = (
    "Add a Labels layer in which each object or tile has the number of its class: 1, 2, 3 "
    "and so on, as they are listed here, 0 for none. It stays as it is now; save it with "
    "File > Save Selected Layers."
)
_NO_IMAGE = "Open the image or the Labels layer that the patches come from; then this works."
_NO_CLASSES = "Colour by a label, an annotation or another column of classes; then this works."


class OnImage(QWidget):
    """A switch for the colours on the images, and a button for a layer of the classes."""

    def __init__(self, owner: MapLayer) -> None:
        super().__init__()
        self._map, self._colours = owner, owner.image_colours
        self.paint = QCheckBox("On the image, too")
        self.paint.toggled.connect(self._colours.switch)
        self.new_layer = button("As a new layer", "small")
        self.paint.setAccessibleName("Colours on the image")
        self.new_layer.setAccessibleName("Classes as a new layer")
        self.new_layer.clicked.connect(self._make)
        self.making = WorkBar()
        self.making.done.connect(self._add)
        self.making.failed.connect(lambda sentence, _: owner.workspace.say(sentence))
        self.making.ended.connect(self._refresh)
        column(self, row(self.paint, 1, self.new_layer), self.making.with_button())
        subscribe(self, self._colours.changed, self._refresh)
        subscribe(self, owner.places.refreshed, self._refresh)
        self._refresh()

    def _refresh(self, *_: Any) -> None:
        found, colouring = self._map.places.found, self._map.colouring
        self.paint.setChecked(self._colours.on)
        self.paint.setEnabled(bool(found))
        self.paint.setToolTip(_HELP if found else _NO_IMAGE)
        classes = colouring is not None and bool(colouring.names)
        self.new_layer.setEnabled(bool(found) and classes and not self.making.running)
        tip = _NO_IMAGE if not found else _NEW if classes else _NO_CLASSES
        self.new_layer.setToolTip(tip)

    def _make(self) -> None:
        colouring, places = self._map.colouring, list(self._map.places.found)
        classes = None if colouring is None else patch_classes(colouring)
        if classes is not None:
            name = "Making a layer of the classes"
            self.making.start(
                name, lambda watch: (classes, class_pictures(places, classes, watch))
            )
            self._refresh()

    def _add(self, made: tuple[PatchClasses, list[ClassPicture]]) -> None:
        classes, pictures = made
        for picture in pictures:
            layer = class_layer(picture, classes, several=len(pictures) > 1)
            self._map.views.add_source(layer)
