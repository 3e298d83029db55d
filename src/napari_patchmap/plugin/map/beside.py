"""A second canvas, on which images are shown while the main one stays on the map."""

from __future__ import annotations

from typing import Any

from napari.components.viewer_model import ViewerModel
from qtpy.compat import isalive
from qtpy.QtCore import QTimer

from napari_patchmap.plugin.canvas.arrangement import camera_of
from napari_patchmap.plugin.canvas.listening import Listening
from napari_patchmap.plugin.canvas.looking import camera_state, fit
from napari_patchmap.plugin.canvas.note import CanvasNote
from napari_patchmap.plugin.canvas.overlay import CanvasOverlay
from napari_patchmap.plugin.map.keys import beside_keys
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.map.on_images import OnImages
from napari_patchmap.plugin.napari_private import SecondCanvas
from napari_patchmap.plugin.qt.keyboard import Keyboard
from napari_patchmap.plugin.source.slider_link import Stepping
from napari_patchmap.plugin.source.twins import Twins
from napari_patchmap.runs.session_file import CameraPlace

_ELSEWHERE = "None of the patches lie in these images."


class Beside(Listening):
    """The images of a viewer on a canvas of their own, from now until `leave`.

    Attributes
    ----------
    model : ViewerModel
        What the canvas shows.
    canvas : SecondCanvas or None
        The widget, until it is left.
    twins : Twins
        The images, as layers of the model.
    on_images : OnImages
        What is done on them.
    """

    def __init__(self, owner: MapLayer) -> None:
        viewer = owner.viewer
        self._owner = owner
        self.model = model = ViewerModel(title="Image")
        model.theme = viewer.theme
        self.canvas: SecondCanvas | None = SecondCanvas(model, viewer)
        overlay = CanvasOverlay(model)
        self._note = CanvasNote(model)
        self.twins = Twins(owner.views, model)
        self.on_images = OnImages(model, owner, self.twins, overlay, owner.image_colours)
        self._steps = Stepping(model, owner.workspace, owner.link, self.twins.of, owner.visible)
        self._camera: tuple[float, ...] | None = None
        self._many = 0
        self._fitting = False
        beside_keys(model, Keyboard.of(viewer))
        self.listen(viewer.events.theme, self._on_theme)
        camera = camera_of(model)
        self.listen(camera.events.center, self._on_camera)
        self.listen(camera.events.zoom, self._on_camera)
        self.listen(owner.views.beside_moved, self._take_camera)
        self.listen(self.twins.changed, self._on_images)
        self.listen(owner.workspace.patches_changed, self._on_images)
        overlay.resized.connect(self._on_resized)
        owner.beside = self.on_images
        owner.views.set_beside(True)
        if owner.workspace.embedding is not None:
            owner.show_map()
        self._on_images()

    def leave(self) -> None:
        """Take the canvas away; the main one shows the map and the images by turns again."""
        super().leave()
        owner = self._owner
        for part in (self._steps, self.on_images, self.twins):
            part.leave()
        owner.beside = None
        owner.views.set_beside(False)
        canvas, self.canvas = self.canvas, None
        if canvas is not None and isalive(canvas):
            canvas.close()

    def show_whole(self) -> None:
        """Fit the camera to the images."""
        layers = [layer for layer in self.twins.sources if layer.visible]
        if layers:
            self._fitting = True
            fit(self.model, layers)
            self._fitting = False
            self._camera = camera_state(self.model)
            self._owner.views.beside_camera = None

    def _on_camera(self, _: Any = None) -> None:
        """Remember where somebody looks, for the next time that there is such a canvas."""
        if self._many and not self._fitting:
            camera = camera_of(self.model)
            self._owner.views.beside_camera = CameraPlace(
                tuple(camera.center), float(camera.zoom), tuple(camera.angles)
            )

    def _take_camera(self) -> None:
        """Look where somebody looked before."""
        place, camera = self._owner.views.beside_camera, camera_of(self.model)
        if place is not None and self._many:
            self._fitting = True
            camera.center, camera.zoom = place.centre, place.zoom
            self._fitting = False

    def _on_images(self, _: Any = None) -> None:
        before, self._many = self._many, len(self.twins.sources)
        if before and not self._many:
            self._owner.views.beside_camera = None  # it was that of other images
        elif self._many and not before and self._owner.views.beside_camera is None:
            self.show_whole()
        elif self._many and not before:
            self._take_camera()
        # Not now: where patches lie is found out when napari is done with its list.
        QTimer.singleShot(0, self._look)

    def _look(self) -> None:
        if self.canvas is None or not isalive(self.canvas):
            return
        workspace, places = self._owner.workspace, self.on_images.places
        known = workspace.patches is not None and self._many > 0
        self._note.say(_ELSEWHERE if known and not places.found else "")
        self._steps.go_to(workspace.current)
        places.bring_into_view(workspace.current)

    def _on_resized(self) -> None:
        """Fit the images to a canvas of another size, unless the camera was moved."""
        if self._camera == camera_state(self.model):
            self.show_whole()

    def _on_theme(self, event: Any) -> None:
        self.model.theme = self._owner.viewer.theme
