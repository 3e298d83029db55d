"""A colour as an icon, and the dialog in which one chooses another."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap
from qtpy.QtWidgets import QColorDialog, QWidget

from napari_patchmap.plugin.qt.theme import qcolor


def swatch(colour: np.ndarray) -> QIcon:
    """Return a disc of a colour, RGBA from 0 to 1."""
    picture = QPixmap(28, 28)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(qcolor(colour))
    painter.drawEllipse(3, 3, 22, 22)
    painter.end()
    return QIcon(picture)


def ask_colour(parent: QWidget, before: str) -> str:
    """Ask for a colour; return it as ``#rrggbb``, "" if the person thought better of it."""
    chosen = QColorDialog.getColor(QColor(before), parent, "Colour of the class")
    return str(chosen.name()) if chosen.isValid() else ""
