"""The images of a viewer on a second canvas: the same data, and the same look."""

from __future__ import annotations

from functools import partial
from typing import Any

from napari.components.viewer_model import ViewerModel
from napari.layers import Layer
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_patchmap.plugin.canvas.two_views import View, Views
from napari_patchmap.plugin.napari_private import twin_of
from napari_patchmap.plugin.of_viewer import OfViewer

#: What makes a layer look as it does, in the order in which it may be set.
_LOOK = (
    "opacity", "blending", "colormap", "contrast_limits_range", "contrast_limits", "gamma",
    "interpolation2d", "projection_mode", "affine", "scale", "rotate", "shear", "translate",
    "contour", "selected_label", "show_selected_label",
)  # fmt: skip

#: Which of them napari does not hand over with a layer.
_LEFT_OUT = ("contour", "selected_label", "show_selected_label")

#: Milliseconds between two looks at labels that are being painted.
_REPAINT_MS = 100


class Twins(OfViewer):
    """Shows the images of a viewer in another one, as long as it is wanted.

    While the main canvas shows the map, the eye of an image in napari's list shows and
    hides it here.

    Attributes
    ----------
    model : ViewerModel
        The second viewer.

    Signals
    -------
    changed(str)
        Images came or went; what is shown is always "source".
    """

    changed = Signal(str)

    now: View = "source"

    def __init__(self, views: Views, model: ViewerModel) -> None:
        super().__init__(views.viewer)
        self._views, self.model = views, model
        self._twins: list[Twin] = []
        self._waiting = self._left = False
        layers = self.viewer.layers.events
        self._events = (layers.inserted, layers.removed, layers.reordered)
        for event in self._events:
            event.connect(self._on_layers)
        views.changed.connect(self._on_view)
        self._match()

    @property
    def sources(self) -> list[Layer]:
        """The images, as layers of the second viewer."""
        return [one.twin for one in self._twins]

    def of(self, layer: Layer) -> Layer | None:
        """Return the layer here that shows one of the main viewer."""
        return next((one.twin for one in self._twins if one.layer is layer), None)

    def turn(self, layer: Layer) -> None:
        """Show an image of the main viewer here, or hide it, as clicking its eye does."""
        for one in self._twins:
            if one.layer is layer:
                one.turn()

    def leave(self) -> None:
        """Follow the main viewer no more."""
        for event in self._events:
            event.disconnect(self._on_layers)
        self._views.changed.disconnect(self._on_view)
        for one in self._twins:
            one.leave()
        self._twins, self._left = [], True

    def _on_layers(self, event: Any = None) -> None:
        """Look again when napari is done with its list, and it is known what is on the map."""
        if not self._waiting:
            self._waiting = True
            QTimer.singleShot(0, self._match)

    def _match(self) -> None:
        """Have a twin of each image, in the same order, and no others."""
        self._waiting = False
        if self._left or self._viewer() is None:
            return
        sources, model = self._views.sources, self.model
        gone = [one for one in self._twins if one.layer not in sources]
        known = {id(one.layer): one for one in self._twins}
        self._twins = [known.get(id(layer)) or Twin(layer, self._views) for layer in sources]
        for one in gone:
            one.leave()
            model.layers.remove(one.twin)
        for place, one in enumerate(self._twins):
            if one.twin not in model.layers:
                model.layers.insert(place, one.twin)
        self._put_in_order()
        # With no layer active, all keys are ours and nothing is painted by accident.
        model.layers.selection.clear()
        if gone or len(known) < len(self._twins) + len(gone):
            self.changed.emit(self.now)

    def _put_in_order(self) -> None:
        """Lay the twins one above the other as the images lie; what is painted stays on top."""
        layers = self.model.layers
        for place, one in enumerate(self._twins):
            at = layers.index(one.twin)
            if at != place:
                layers.move(at, place)

    def _on_view(self, _: str) -> None:
        for one in self._twins:
            one.follow_eye()


class Twin:
    """One image of the main viewer, and the layer that shows it on the second canvas."""

    def __init__(self, layer: Layer, views: Views) -> None:
        self.layer, self._views = layer, views
        self.twin = twin_of(layer)
        self._copies = {name: partial(self._copy, name) for name in _LOOK if _has(layer, name)}
        for name, copy in self._copies.items():
            getattr(layer.events, name).connect(copy)
            if name in _LEFT_OUT:
                copy()
        self._repaint = QTimer(singleShot=True, interval=_REPAINT_MS, timeout=self.twin.refresh)
        self._others = {
            "visible": self._on_eye, "name": self._on_name, "data": self._on_data,
            "labels_update": self._on_painted,
        }  # fmt: skip
        for name, slot in self._others.items():
            if name in layer.events.emitters:
                getattr(layer.events, name).connect(slot)
        self.follow_eye()

    def leave(self) -> None:
        """Let the two go their own ways."""
        self._repaint.stop()
        for name, slot in {**self._copies, **self._others}.items():
            if name in self.layer.events.emitters:
                getattr(self.layer.events, name).disconnect(slot)

    def follow_eye(self) -> None:
        """Be seen if the image is, or would be if the main canvas did not show the map."""
        self.twin.visible = self._views.shows(self.layer)

    def _copy(self, name: str, event: Any = None) -> None:
        setattr(self.twin, name, getattr(self.layer, name))

    def _on_eye(self, event: Any) -> None:
        views = self._views
        if views.now == "map" and self.layer.visible and not views.busy:
            # Not now: napari is in the midst of telling everybody.
            QTimer.singleShot(0, self.turn)
        else:
            self.follow_eye()

    def turn(self) -> None:
        """Show the image if it was hidden, or hide it."""
        self._views.keep(self.layer, not self._views.shows(self.layer))
        self.follow_eye()

    def _on_name(self, event: Any) -> None:
        self.twin.name = self.layer.name

    def _on_data(self, event: Any) -> None:
        if self.twin.data is not self.layer.data:
            self.twin.data = self.layer.data

    def _on_painted(self, event: Any) -> None:
        self._repaint.start()


def _has(layer: Layer, name: str) -> bool:
    return name in layer.events.emitters and hasattr(layer, name)
