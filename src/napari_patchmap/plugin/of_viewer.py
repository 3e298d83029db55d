"""What belongs to a viewer: found by it, gone with it, and never keeping it alive."""

from __future__ import annotations

import weakref
from typing import Any, Self

from napari.components.viewer_model import ViewerModel
from napari.viewer import Viewer


def real_viewer(viewer: Viewer) -> Viewer:
    """Return the viewer itself; napari hands dock widgets a new proxy of it each."""
    return getattr(viewer, "__wrapped__", viewer)


class OfViewer:
    """What belongs to a viewer without keeping it alive."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer: weakref.ref[Any] = weakref.ref(viewer)

    @property
    def viewer(self) -> Viewer:
        """The viewer; it outlives every event that leads here."""
        viewer = self._viewer()
        assert viewer is not None
        return viewer


class OnePerViewer:
    """What each viewer has one of, made on first use and gone with the viewer."""

    @classmethod
    def of(cls, viewer: Viewer) -> Self:
        """Return the one of a viewer."""
        viewer = real_viewer(viewer)
        key = cls, id(viewer)
        if key not in _made:
            _made[key] = cls.made_for(viewer)
            weakref.finalize(viewer, _forget, key)
        return _made[key]

    @classmethod
    def all_there_are(cls) -> list[Self]:
        """Return those of all viewers."""
        return [one for (kind, _), one in _made.items() if kind is cls]

    @classmethod
    def made_for(cls, viewer: Viewer) -> Self:
        """Make the one of a viewer."""
        make: Any = cls
        return make(viewer)

    def viewer_gone(self) -> None:
        """Hear that the viewer is gone."""


_made: dict[tuple[type, int], Any] = {}


def _forget(key: tuple[type, int]) -> None:
    _made.pop(key).viewer_gone()
