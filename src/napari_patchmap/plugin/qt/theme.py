"""Colours of napari's theme, for what we paint ourselves."""

from __future__ import annotations

from napari.utils.theme import get_theme
from napari.viewer import Viewer
from qtpy.QtGui import QColor


def theme_colour(viewer: Viewer, name: str) -> QColor:
    """Return a colour of the viewer's theme, such as ``text`` or ``foreground``."""
    return QColor(*getattr(get_theme(viewer.theme), name).as_rgb_tuple()[:3])


def canvas_is_dark(viewer: Viewer) -> bool:
    """Whether light marks are the ones that show on the canvas."""
    return theme_colour(viewer, "canvas").lightness() < 128


def contrast(viewer: Viewer) -> str:
    """Return the name of the colour that stands out most from the canvas."""
    return "white" if canvas_is_dark(viewer) else "black"
