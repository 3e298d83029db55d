"""A figure before it is saved; what can be moved on it is moved with the mouse."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_patchmap.plugin.qt.thumbnails import to_pixmap

#: Least size, in pixels.
_WIDE, _HIGH = 460, 420


class FigurePreview(QWidget):
    """Shows a page as large as there is room.

    Signals
    -------
    moved(int, float, float)
        A part was moved: its number, and its middle in shares of the page.

    Attributes
    ----------
    parts : ndarray, shape (m, 4)
        What can be moved: left, top, width and height in shares of the page.
    """

    moved = Signal(int, float, float)

    def __init__(self) -> None:
        super().__init__()
        self._page: QPixmap | None = None
        self.parts = np.empty((0, 4))
        self._drag: tuple[int, QPointF, QPointF] | None = None  # part, from, to
        self.setMinimumSize(_WIDE, _HIGH)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self.setAccessibleName("Preview of the figure")

    def show_page(self, rgb: np.ndarray | None, parts: np.ndarray) -> None:
        """Show a page, uint8 (height, width, 3), or none.

        ``parts`` of it can be moved.
        """
        self._page = None if rgb is None else to_pixmap(rgb)
        self.parts, self._drag = parts, None
        self.setToolTip(
            "<qt>Drag a tip to where it should be; its line follows.</qt>" if len(parts) else ""
        )
        self.update()

    def place_of(self, part: int) -> QPointF:
        """Return where the middle of a part is, in pixels of the widget."""
        return self._on_screen(part).center()

    def _room(self) -> QRectF:
        """Return where the page is painted."""
        if self._page is None:
            return QRectF()
        size = self._page.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (self.width() - size.width()) / 2, (self.height() - size.height()) / 2
        return QRectF(left, top, size.width(), size.height())

    def _on_screen(self, part: int) -> QRectF:
        room, (left, top, wide, high) = self._room(), self.parts[part]
        return QRectF(
            room.left() + left * room.width(), room.top() + top * room.height(),
            wide * room.width(), high * room.height(),
        )  # fmt: skip

    def _part_at(self, place: QPointF) -> int:
        for part in range(len(self.parts)):
            if self._on_screen(part).contains(place):
                return part
        return -1

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of a part."""
        part = self._part_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and part >= 0:
            self._drag = part, event.position(), event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move it; over one that can be moved the mouse is a hand."""
        if self._drag is not None:
            self._drag = *self._drag[:2], event.position()
            self.update()
        over = self._part_at(event.position()) >= 0 or self._drag is not None
        self.setCursor(Qt.CursorShape.OpenHandCursor if over else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go of it."""
        if self._drag is None:
            return
        part, begun, ended = self._drag
        self._drag = None
        room, middle = self._room(), self._on_screen(part).center() + ended - begun
        if (ended - begun).manhattanLength() > 2:
            x = (middle.x() - room.left()) / max(room.width(), 1)
            y = (middle.y() - room.top()) / max(room.height(), 1)
            self.moved.emit(part, min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the page, and where a part is going."""
        if self._page is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(self._room().toRect(), self._page)
        if self._drag is not None:
            part, begun, ended = self._drag
            painter.setPen(QPen(QColor(40, 120, 220), 2, Qt.PenStyle.DashLine))
            painter.drawRect(self._on_screen(part).translated(ended - begun))
        painter.end()
