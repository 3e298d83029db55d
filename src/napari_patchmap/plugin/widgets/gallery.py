"""The "Patches" gallery: the selected patches as pictures."""

from __future__ import annotations

from napari.viewer import Viewer
from qtpy.QtWidgets import QWidget


class Gallery(QWidget):
    """Thumbnails of the selected patches."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
