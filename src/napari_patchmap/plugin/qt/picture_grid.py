"""Pictures side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from qtpy.QtCore import QPoint, QRect, QSize, Qt
from qtpy.QtGui import QImage, QPainter
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_patchmap.plugin.qt.thumbnails import to_image

#: Pixels between two pictures.
_GAP = 4


class PictureGrid(QWidget):
    """Pictures in rows of so many columns; they share the width there is."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self._columns = columns
        self._images: list[QImage] = []
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_pictures(self, pictures: Sequence[np.ndarray]) -> None:
        """Show ``(height, width, 3)`` uint8 pictures."""
        self._images = [to_image(picture) for picture in pictures]
        self.updateGeometry()
        self.update()

    def hasHeightForWidth(self) -> bool:
        """Tell Qt that the height follows from the width."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height in pixels at a width in pixels."""
        rows = -(-len(self._images) // self._columns)
        return max(0, rows * (self._side(width) + _GAP) - _GAP)

    def sizeHint(self) -> QSize:
        """Return the size at a typical width."""
        return QSize(300, self.heightForWidth(300))

    def cell(self, place: int) -> QRect:
        """Return where the picture at a place of the sequence is painted."""
        side = self._side(self.width())
        row, column = divmod(place, self._columns)
        return QRect(column * (side + _GAP), row * (side + _GAP), side, side)

    def _side(self, width: int) -> int:
        return max(8, (width + _GAP) // self._columns - _GAP)

    def paintEvent(self, event: Any) -> None:
        """Paint the pictures; small ones keep their pixels visible."""
        painter = QPainter(self)
        for place, image in enumerate(self._images):
            cell = self.cell(place)
            size = image.size().scaled(cell.size(), Qt.AspectRatioMode.KeepAspectRatio)
            where = QRect(QPoint(0, 0), size)
            where.moveCenter(cell.center())
            smooth = size.width() < 4 * image.width()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
            painter.drawImage(where, image)
        painter.end()
