"""Keeps the slider of an image stack and the current patch together."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import numpy as np
from napari.components.viewer_model import ViewerModel
from napari.layers import Image, Layer
from napari.viewer import Viewer
from psygnal import Signal

from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.canvas.listening import Listening
from napari_patchmap.plugin.canvas.two_views import Views
from napari_patchmap.plugin.of_viewer import OfViewer
from napari_patchmap.plugin.own_changes import Quiet
from napari_patchmap.plugin.source.highlights import Places
from napari_patchmap.plugin.workspace import Workspace

#: Mark of a layer that shows the patches: it is no source of others.
PICTURES = "patchmap_pictures"

#: Bytes that a stack of all patches may take; beyond it they are shown smaller.
_MOST_BYTES = 1_500_000_000

#: Patches that are read between two looks whether somebody cancelled.
_AT_ONCE = 32


def read_stack(patches: PatchSet, watch: Watch) -> np.ndarray:
    """Return all patches at training size, or smaller where they are very many.

    Returns
    -------
    ndarray of uint8, shape (n, height, width) if grey, else (n, height, width, 3)
    """
    height, width = patches.training_size()
    shrink = min(1.0, np.sqrt(_MOST_BYTES / (len(patches) * height * width * 3)))
    size = (max(1, int(height * shrink)), max(1, int(width * shrink)))
    parts = []
    for rows in watch.parts(len(patches), _AT_ONCE):
        pixels = patches.pixels(np.arange(rows.start, rows.stop), size)
        pictures = patches.picture(pixels.transpose(0, 2, 3, 1))
        parts.append(pictures[..., 0] if patches.channels == 1 else pictures)
    return np.concatenate(parts)


class Stepping(OfViewer, Quiet, Listening):
    """Steps the slider of one canvas to the current patch, and back.

    Parameters
    ----------
    viewer : ViewerModel
    workspace : Workspace
    link : SourceLink
        Which image is linked.
    here : callable
        Returns the layer of this viewer that shows it.
    visible : callable
        Drops patches that a person has hidden: nobody comes to those by stepping.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        workspace: Workspace,
        link: SourceLink,
        here: Callable[[Layer], Layer | None],
        visible: Callable[[np.ndarray], np.ndarray],
    ) -> None:
        super().__init__(viewer)
        self._workspace, self._link, self._here = workspace, link, here
        self._visible = visible
        self._seen = -1  # the frame that is shown, as far as is known
        self.listen(workspace.current_changed, self.go_to)
        viewer.dims.events.current_step.connect(self._on_step)

    @property
    def _layer(self) -> Layer | None:
        linked = self._link.layer
        return None if linked is None else self._here(linked)

    def go_to(self, index: int) -> None:
        """Show the frame of a patch."""
        viewer, layer, patches = self.viewer, self._layer, self._workspace.patches
        if layer is None or patches is None or index < 0:
            return
        origin = np.zeros(layer.ndim)
        at = self._link.axis
        origin[at] = self._link.frames(patches)[index]
        axis = viewer.dims.ndim - layer.ndim + at
        with self.quiet():
            viewer.dims.set_point(axis, layer.data_to_world(origin)[at - layer.ndim])
        self.look()

    def look(self) -> None:
        """Take note of the frame that is shown; nobody stepped to it."""
        layer = self._layer
        self._seen = -1 if layer is None else self._frame(layer)

    def _on_step(self, event: object) -> None:
        layer, patches = self._layer, self._workspace.patches
        if self.busy or layer is None or patches is None:
            return
        before, self._seen = self._seen, self._frame(layer)
        if self._seen == before:
            return  # napari tells the same of a map that takes another place
        frame = self._seen
        frames, current = self._link.frames(patches), self._workspace.current
        here = frames == frame
        if current >= 0 and here[current]:
            return  # several patches of one frame: stay with the one being looked at
        if not self._link.is_stack and "label_id" in patches.table:
            if current < 0:
                return  # many objects in each frame: none is meant by stepping to it
            # An object that is followed through time keeps its number.
            ids = patches.table["label_id"].to_numpy()
            here &= ids == ids[current]
        found = np.flatnonzero(here)
        shown = self._visible(found)
        if len(found):
            # What is seen now is hidden: a key must not name the one that was before.
            self._workspace.set_current(int(shown[0]) if len(shown) else -1)

    def _frame(self, layer: Layer) -> int:
        return round(float(layer.world_to_data(self.viewer.dims.point)[self._link.axis]))


class SourceLink(OfViewer):
    """Steps the image the patches come from to the current patch, and back.

    The image is the viewer's own layer when ``origin`` of the patch set
    names one, or a stack of all patches made on request.

    Signals
    -------
    changed()
        A linked image came or went.
    """

    changed = Signal()

    def __init__(
        self,
        viewer: Viewer,
        workspace: Workspace,
        views: Views,
        places: Places,
        visible: Callable[[np.ndarray], np.ndarray],
    ) -> None:
        super().__init__(viewer)
        self._workspace = workspace
        self._views = views
        self._places = places
        self._stack: Layer | None = None
        # The layer that had the name when the patches came; it may be renamed.
        self._named: weakref.ref[Layer] | None = None
        self._steps = Stepping(viewer, workspace, self, lambda layer: layer, visible)
        workspace.patches_changed.connect(self._on_patches)
        viewer.layers.events.removed.connect(self._on_layers)
        viewer.layers.events.inserted.connect(self._on_layers)

    @property
    def layer(self) -> Layer | None:
        """The linked image stack that is in the viewer now, if any."""
        viewer, patches = self.viewer, self._workspace.patches
        if patches is None:
            return None
        if self._stack is not None and self._stack in viewer.layers:
            return self._stack
        if self._places.found:
            place = self._places.found[0]
            return place.layer if place.timed else None
        layer = self._find_named(patches)
        if layer is None:
            return None
        # Another image may have that name by now.
        planes = patches.origin.get("planes") or len(patches) + len(patches.skipped)
        return layer if layer.ndim > 2 and layer.data.shape[0] == planes else None

    @property
    def axis(self) -> int:
        """The axis of the linked image that numbers its frames."""
        return self._places.found[0].axis if self._places.found and not self.is_stack else 0

    def _find_named(self, patches: PatchSet) -> Layer | None:
        """Return the layer that the patches were made of, whatever it is called now."""
        viewer = self.viewer
        layer = None if self._named is None else self._named()
        if layer is not None and layer in viewer.layers:
            return layer
        name = patches.origin.get("layer")
        if name not in viewer.layers or "labels_layer" in patches.origin:
            return None
        layer = viewer.layers[name]
        self._named = weakref.ref(layer)
        return layer

    def add_stack(
        self, patches: PatchSet, pictures: np.ndarray, *, turn_to: bool = True
    ) -> None:
        """Add what :func:`read_stack` gave as one image, a slider step a patch.

        Nothing comes of it if other patches were loaded meanwhile. Unless one is to
        ``turn_to`` it, what is looked at stays.
        """
        if patches is not self._workspace.patches or self.layer is not None:
            return
        name, rgb = f"{patches.name} (patches)", pictures.ndim == 4
        stack = Image(pictures, rgb=rgb, name=name, metadata={PICTURES: True})
        with self._steps.quiet():
            self._stack = stack
            if turn_to:
                self._views.add_source(stack)
            else:
                self._views.add_behind(stack)
        if turn_to:
            self._workspace.set_current(max(self._workspace.current, 0))
        self._steps.go_to(self._workspace.current)
        self.changed.emit()

    @property
    def is_stack(self) -> bool:
        """Whether the linked image is a stack of all patches."""
        return self._stack is not None and self.layer is self._stack

    def frames(self, patches: PatchSet) -> np.ndarray:
        """Return the position of each patch along the first axis of the linked image."""
        if self.is_stack:
            return np.arange(len(patches))
        return patches.table["frame"].to_numpy()

    def _on_patches(self, patches: PatchSet | None) -> None:
        stack, self._stack, self._named = self._stack, None, None
        if patches is not None:
            self._find_named(patches)  # while it has that name
        if stack is not None and stack in self.viewer.layers:
            self.viewer.layers.remove(stack)  # it shows the patches of before
        self._steps.look()
        self.changed.emit()

    def _on_layers(self, event: object) -> None:
        if self._workspace.patches is not None:
            self._find_named(self._workspace.patches)
        self._steps.look()
        self.changed.emit()
