"""Opens the images that patches were cut out of from their files, in the background."""

from __future__ import annotations

from collections.abc import Collection

from napari.viewer import Viewer
from psygnal import Signal

from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.canvas.two_views import Views
from napari_patchmap.plugin.napari_private import canvas_widget
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.of_viewer import OfViewer
from napari_patchmap.plugin.source.highlights import Places
from napari_patchmap.plugin.source.source_layers import layers_of
from napari_patchmap.plugin.workspace import Workspace
from napari_patchmap.runs.source_images import (
    SourceImage,
    has_source_images,
    read_source_images,
)

_Read = tuple[PatchSet, tuple[list[SourceImage], str]]


class ImageOpener(OfViewer):
    """Adds images to a viewer, to be seen wherever images are; the map stays.

    Attributes
    ----------
    busy : bool
        Whether images are being read.

    Signals
    -------
    changed()
        Images are being read, or not any more.
    opened(set of str)
        Images of these sources are open now: those that could be read.
    """

    changed = Signal()
    opened = Signal(object)

    def __init__(
        self, viewer: Viewer, workspace: Workspace, views: Views, places: Places
    ) -> None:
        super().__init__(viewer)
        self._workspace, self._views, self._places = workspace, views, places
        self._reader = Newest(
            canvas_widget(viewer), "Opening images", self._on_read, self._on_failed
        )
        self.busy = False

    def can_open(self, patch: int) -> bool:
        """Whether the image of a patch is not open, and its file is known."""
        patches = self._workspace.patches
        return (
            patches is not None
            and has_source_images(patches.origin)
            and patch not in patches.missing
            and self._places.of(patch) is None
        )

    def open(self, rows: Collection[int]) -> None:
        """Open the images of some patches, those that can be opened and are not open."""
        patches = self._workspace.patches
        rows = [row for row in rows if self.can_open(row)]
        if patches is None or not rows:
            return
        sources = patches.table["source"].astype(str)
        wanted = list(dict.fromkeys(sources.iloc[row] for row in rows))

        def read(watch: Watch) -> _Read:
            return patches, read_source_images(patches.origin, wanted, watch)

        self._set_busy(True)
        self._reader.ask(read)

    def _on_read(self, read: _Read) -> None:
        patches, (images, trouble) = read
        self._set_busy(False)
        if patches is not self._workspace.patches:
            return
        for image in images:
            for layer in layers_of(image):
                self._views.add_behind(layer)
        self.opened.emit({image.source for image in images})
        if trouble:
            self._on_failed(trouble)

    def _on_failed(self, sentence: str) -> None:
        self._set_busy(False)
        self._workspace.say(f"An image cannot be opened: {sentence}")

    def _set_busy(self, busy: bool) -> None:
        self.busy = busy
        self.changed.emit()
