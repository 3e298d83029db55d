"""The "Explore" panel: colours, legend and selection tools of the map."""

from __future__ import annotations

from napari.viewer import Viewer
from qtpy.QtWidgets import QWidget


class Explore(QWidget):
    """Colour by, legend with counts and selection tools."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
