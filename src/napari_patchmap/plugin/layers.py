"""The map in the viewer: a Points layer and what marks patches on it."""

from __future__ import annotations

from typing import Self

from napari.viewer import Viewer


class MapLayer:
    """The layers that show the map of one viewer."""

    @classmethod
    def of(cls, viewer: Viewer) -> Self:
        """Return the map of a viewer, made on first use."""
        return cls()
