"""A patch in a frame, as the gallery and the map paint it."""

from __future__ import annotations

from qtpy.QtCore import QPointF, QRectF, QSizeF, Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPixmap

#: Distance of the frame, and of the ring around the current patch, from the picture.
_FRAME, _RING = 1.5, 4.5

_WIDTH, _ROUND = 2.5, 2.0


def size_of(picture: QPixmap) -> QSizeF:
    """Return the size at which a picture is painted, in pixels of the window."""
    return QSizeF(picture.size()) / picture.devicePixelRatio()


def paint_framed(
    painter: QPainter, middle: QPointF, picture: QPixmap, frame: QColor, ring: QColor | None,
    opacity: float = 1.0,
) -> None:  # fmt: skip
    """Paint a picture around a place, in a frame; with a ring if it is the current one."""
    size = size_of(picture)
    corner = middle - QPointF(size.width() / 2, size.height() / 2)
    corner = QPointF(round(corner.x()), round(corner.y()))  # or its pixels would blur
    place = QRectF(corner, size)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setOpacity(opacity)
    painter.drawPixmap(corner, picture)
    _paint_frame(painter, place, _FRAME, frame)
    painter.setOpacity(1.0)
    if ring is not None:
        _paint_frame(painter, place, _RING, ring)


def _paint_frame(painter: QPainter, place: QRectF, away: float, colour: QColor) -> None:
    painter.setPen(QPen(colour, _WIDTH))
    painter.drawRoundedRect(place.adjusted(-away, -away, away, away), _ROUND, _ROUND)
