"""Colours of what we paint ourselves: those of napari's theme, and those of labels."""

from __future__ import annotations

import numpy as np
from napari.components.viewer_model import ViewerModel
from napari.utils.theme import get_theme
from qtpy.QtCore import QRectF
from qtpy.QtGui import QColor, QLinearGradient, QPainter

from napari_patchmap.explore.colouring import scale_colours
from napari_patchmap.explore.palette import categorical_colours, frequent_first
from napari_patchmap.patches import PatchSet


def theme_colour(viewer: ViewerModel, name: str) -> QColor:
    """Return a colour of the viewer's theme, such as ``text`` or ``foreground``."""
    return colour_in(viewer.theme, name)


def colour_in(theme: str, name: str) -> QColor:
    """Return a colour of one of napari's themes."""
    return QColor(*getattr(get_theme(theme), name).as_rgb_tuple(alpha=False))


def contrast(viewer: ViewerModel) -> str:
    """Return the name of the colour that stands out most from the canvas."""
    return "white" if theme_colour(viewer, "canvas").lightness() < 128 else "black"


def qcolor(rgba: np.ndarray) -> QColor:
    """Turn red, green, blue and opacity, 0 to 1, into Qt's colour."""
    return QColor.fromRgbF(*np.asarray(rgba, float).tolist())


def paint_scale(painter: QPainter, bar: QRectF) -> None:
    """Fill a bar with the colours of numbers, the lowest at the left."""
    gradient, steps = QLinearGradient(bar.topLeft(), bar.topRight()), scale_colours(16)
    for at, colour in enumerate(steps):
        gradient.setColorAt(at / (len(steps) - 1), qcolor(colour))
    painter.fillRect(bar, gradient)


def label_colours(patches: PatchSet) -> dict[str, QColor]:
    """Return the colour that each label has on the map, the most frequent one first."""
    counts = patches.label_counts()
    texts = [str(name) for name in counts.index]
    names = [texts[at] for at in frequent_first(texts, counts.to_numpy())]
    colours = map(qcolor, categorical_colours(len(names)))
    return dict(zip(names, colours, strict=True))
