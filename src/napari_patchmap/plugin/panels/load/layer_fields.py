"""Which of the layers that are open in the viewer the patches come from."""

from __future__ import annotations

from typing import Any

from napari.layers import Image, Labels, Layer
from napari.viewer import Viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QWidget

from napari_patchmap.patches import Kind
from napari_patchmap.plugin.canvas.two_views import OVERLAY
from napari_patchmap.plugin.panels.open_layers import open_layer, open_layers
from napari_patchmap.plugin.qt.basics import choice, column


class LayerFields(QWidget):
    """Lists of the open layers; they follow the viewer.

    Signals
    -------
    changed()
        Another layer is chosen.
    listed()
        Layers came, went, or have another name.
    """

    changed = Signal()
    listed = Signal()

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self.stack = choice("The Image layer whose planes are the patches.")
        self.objects = choice("The Labels layer in which every object has a number.")
        self.image = choice("The Image layer that the objects are cut out of.")
        self._of_objects = QWidget()
        pair = QFormLayout(self._of_objects)
        pair.setContentsMargins(0, 0, 0, 0)
        pair.addRow("Labels", self.objects)
        pair.addRow("Image", self.image)
        column(self, self.stack, self._of_objects)
        for box in (self.stack, self.objects, self.image):
            box.currentTextChanged.connect(self.changed)
        events = viewer.layers.events
        for event in (events.inserted, events.removed, events.renamed):
            event.connect(self._list)
        self._list()

    def show_for(self, kind: Kind) -> None:
        """Show the lists that matter for a kind of source."""
        self.stack.setVisible(kind is Kind.LAYER)
        self._of_objects.setVisible(kind is Kind.OBJECTS)
        self.setVisible(kind in (Kind.LAYER, Kind.OBJECTS))

    def choose(self, image: str, objects: str = "") -> None:
        """Choose layers by their names: a stack, or an image and the objects on it."""
        if objects:
            self.image.setCurrentText(image)
            self.objects.setCurrentText(objects)
        else:
            self.stack.setCurrentText(image)

    def missing(self, kind: Kind) -> str:
        """Say what has to be opened in the viewer first, "" if nothing has."""
        if kind is Kind.LAYER and self._layer(self.stack) is None:
            return "No stack of images is open; open one, or choose another source."
        if kind is Kind.OBJECTS and self._layer(self.objects) is None:
            return "No Labels layer is open; open or paint one, or choose another source."
        if kind is Kind.OBJECTS and self._layer(self.image) is None:
            return "No image is open that the objects could be cut out of; open it first."
        return ""

    def asked(self, kind: Kind) -> dict[str, Any]:
        """Return what a :class:`Request` for a kind of source takes from the viewer."""
        if kind is Kind.RUN:
            return {"layers": open_layers(self._viewer)}
        if kind is Kind.LAYER:
            layer = self._layer(self.stack)
            return {"image": open_layer(layer), "files": (_file_of(layer), "")}
        layers = self._layer(self.image), self._layer(self.objects)
        if kind is not Kind.OBJECTS or None in layers:
            return {}
        image, objects = map(open_layer, layers)
        files = tuple(_file_of(layer) for layer in layers)
        return {"image": image, "objects": objects, "files": files}

    def _list(self, event: Any = None) -> None:
        images = [layer for layer in self._viewer.layers if _is_image(layer)]
        labels = [layer for layer in self._viewer.layers if isinstance(layer, Labels)]
        _fill(self.stack, [ly for ly in images if ly.ndim > 2], "no stack is open")
        _fill(self.objects, labels, "no Labels layer is open")
        _fill(self.image, images, "no image is open")
        self.listed.emit()

    def _layer(self, box: QComboBox) -> Any:
        name = box.currentData()
        return next((layer for layer in self._viewer.layers if layer.name == name), None)


def _file_of(layer: Layer | None) -> str:
    """Return the file that a layer was opened from, "" if none is known."""
    return "" if layer is None else str(layer.source.path or "")


def _is_image(layer: Layer) -> bool:
    return isinstance(layer, Image) and not layer.metadata.get(OVERLAY)


def _fill(box: QComboBox, layers: list[Layer], nothing: str) -> None:
    chosen = box.currentData()
    box.blockSignals(True)
    box.clear()
    for layer in layers:
        box.addItem(layer.name, layer.name)
    if not layers:
        box.addItem(nothing, None)
    box.setCurrentIndex(max(0, box.findData(chosen)))
    box.blockSignals(False)
