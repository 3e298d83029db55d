"""Small parts that several panels are made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import QPoint, QRect, QSize, Qt, Signal
from qtpy.QtGui import QColor, QImage, QPainter
from qtpy.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_patchmap.plugin.qt.panel import label
from napari_patchmap.plugin.qt.thumbnails import to_image


class Message(QFrame):
    """A calm place for one sentence, with room for what answers it.

    Attributes
    ----------
    below : QVBoxLayout
        Widgets that belong to the sentence, such as a choice.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "message")
        self._text = label("", wrap=True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(10, 7, 8, 7)
        rows.addWidget(self._text)
        self.below = QVBoxLayout()
        rows.addLayout(self.below)
        self.hide()

    def say(self, sentence: str, level: str = "info") -> None:
        """Show a sentence; ``level`` is "info", "note" or "error". "" hides it."""
        self._text.setText(sentence)
        self.setProperty("level", level)
        self.style().unpolish(self)
        self.style().polish(self)
        self.setVisible(bool(sentence))

    @property
    def text(self) -> str:
        """The sentence that is shown, "" for none."""
        return str(self._text.text())

    @property
    def level(self) -> str:
        """How serious the sentence is."""
        return str(self.property("level"))


class PathField(QWidget):
    """A path to type or to choose.

    Parameters
    ----------
    placeholder : str
        Shown while the field is empty.
    """

    changed = Signal(str)

    def __init__(self, placeholder: str = "") -> None:
        super().__init__()
        self.folder = True
        self.title = "Choose"
        self.filters = "All files (*)"
        self.edit = QLineEdit()
        self.edit.setPlaceholderText(placeholder)
        self.edit.setMinimumWidth(60)
        self.browse = QPushButton("Browse…")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.edit, 1)
        row.addWidget(self.browse)
        self.edit.textChanged.connect(self.changed)
        self.browse.clicked.connect(self._choose)

    @property
    def path(self) -> str:
        """The path as text, without spaces or quotes around it."""
        return str(self.edit.text()).strip().strip("\"'")

    def set_path(self, path: str | Path) -> None:
        """Show a path."""
        self.edit.setText(str(path))
        self.edit.setToolTip(str(path))

    def _choose(self) -> None:
        start = self.path or str(Path.home())
        if self.folder:
            found = QFileDialog.getExistingDirectory(self, self.title, start)
        else:
            found, _ = QFileDialog.getOpenFileName(self, self.title, start, self.filters)
        if found:
            self.set_path(found)


class PictureGrid(QWidget):
    """Pictures side by side, as many in a row as fit.

    Parameters
    ----------
    side : int
        Longer side of a cell in pixels, before cells are stretched to fill the row.
    columns : int, optional
        Fixed number of columns; as many as fit when None.
    """

    clicked = Signal(int)

    _GAP = 4

    def __init__(self, side: int = 48, columns: int | None = None) -> None:
        super().__init__()
        self._side, self._columns = side, columns
        self._images: list[QImage] = []
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_pictures(self, pictures: Sequence[np.ndarray]) -> None:
        """Show ``(height, width, 3)`` uint8 pictures."""
        self._images = [to_image(picture) for picture in pictures]
        self.updateGeometry()
        self.update()

    @property
    def count(self) -> int:
        """How many pictures are shown."""
        return len(self._images)

    def hasHeightForWidth(self) -> bool:
        """Tell Qt that the height follows from the width."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height in pixels at a width in pixels."""
        if not self._images:
            return 0
        columns, cell = self._grid(width)
        rows = -(-len(self._images) // columns)
        return int(rows * cell + (rows - 1) * self._GAP)

    def sizeHint(self) -> QSize:
        """Return the size at a typical width."""
        return QSize(300, self.heightForWidth(300))

    def _grid(self, width: int) -> tuple[int, int]:
        fit = max(1, (width + self._GAP) // (self._side + self._GAP))
        columns = self._columns or fit
        return columns, max(8, (width + self._GAP) // columns - self._GAP)

    def _cell(self, index: int) -> QRect:
        columns, cell = self._grid(self.width())
        row, column = divmod(index, columns)
        corner = QPoint(column * (cell + self._GAP), row * (cell + self._GAP))
        return QRect(corner, QSize(cell, cell))

    def paintEvent(self, event: Any) -> None:
        """Paint the pictures; small ones keep their pixels visible."""
        painter = QPainter(self)
        for index, image in enumerate(self._images):
            cell = self._cell(index)
            size = image.size().scaled(cell.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRect(QPoint(0, 0), size)
            place.moveCenter(cell.center())
            smooth = size.width() < 4 * image.width()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
            painter.drawImage(place, image)
        painter.end()

    def mousePressEvent(self, event: Any) -> None:
        """Say which picture was clicked."""
        point = event.position().toPoint()
        for index in range(len(self._images)):
            if self._cell(index).contains(point):
                self.clicked.emit(index)
                return


class Bars(QWidget):
    """Rows of a colour, a name, a bar and a number, such as counts of labels.

    Parameters
    ----------
    tip : str
        Tooltip of the whole.
    """

    def __init__(self, tip: str = "") -> None:
        super().__init__()
        self.rows: list[tuple[QColor, str, float, str]] = []
        self.setToolTip(tip)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_rows(self, rows: Sequence[tuple[QColor, str, float, str]]) -> None:
        """Show rows of colour, name, length of the bar (0 to 1) and text after it."""
        self.rows = list(rows)
        self.setFixedHeight(len(self.rows) * self._height())
        self.update()

    def _height(self) -> int:
        return int(self.fontMetrics().height() * 1.35)

    def changeEvent(self, event: Any) -> None:
        """Follow another font size."""
        super().changeEvent(event)
        if self.height() != len(self.rows) * self._height():
            self.setFixedHeight(len(self.rows) * self._height())

    def paintEvent(self, event: Any) -> None:
        """Paint the rows in the colours of the theme."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics, step = self.fontMetrics(), self._height()
        text = self.palette().windowText().color()
        names = max((metrics.horizontalAdvance(n) for _, n, _, _ in self.rows), default=0)
        names = min(names, int(self.width() * 0.45))
        ends = max((metrics.horizontalAdvance(t) for *_, t in self.rows), default=0)
        left, right = 16 + names + 8, self.width() - ends - 8
        for i, (colour, name, share, end) in enumerate(self.rows):
            y, middle = i * step, i * step + step // 2
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawRoundedRect(QRect(1, middle - 5, 10, 10), 2, 2)
            track, bar = QColor(text), QColor(colour)
            track.setAlpha(22)
            painter.setBrush(track)
            painter.drawRoundedRect(QRect(left, middle - 3, max(0, right - left), 6), 3, 3)
            painter.setBrush(bar)
            painter.drawRoundedRect(
                QRect(left, middle - 3, round(max(0, right - left) * min(1, share)), 6), 3, 3
            )
            painter.setPen(text)
            shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, names)
            upright = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRect(16, y, names + 4, step), upright, shown)
            ahead = upright | Qt.AlignmentFlag.AlignRight
            painter.drawText(QRect(right, y, self.width() - right, step), ahead, end)
        painter.end()


def row(*widgets: QWidget | int) -> QHBoxLayout:
    """Lay widgets side by side; a number is a stretch."""
    made = QHBoxLayout()
    made.setContentsMargins(0, 0, 0, 0)
    made.setSpacing(6)
    for widget in widgets:
        if isinstance(widget, int):
            made.addStretch(widget)
        else:
            made.addWidget(widget)
    return made


def button(text: str, role: str = "", tip: str = "") -> QPushButton:
    """Make a button; ``role`` is one of the style sheet's."""
    made = QPushButton(text)
    if role:
        made.setProperty("role", role)
    made.setToolTip(tip)
    return made


def set_role(widget: QWidget, role: str) -> None:
    """Give a widget another role of the style sheet's."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


class Wrapped(QLabel):
    """Lines of text that keep their height in a column that is scrolled.

    Qt would squeeze a wrapped text there rather than make the column longer.
    """

    def __init__(self, role: str = "hint") -> None:
        super().__init__()
        self.setProperty("role", role)
        self.setWordWrap(True)

    def setText(self, text: str) -> None:
        """Show a text."""
        super().setText(text)
        self._keep_height()

    def resizeEvent(self, event: Any) -> None:
        """Keep the height that the text needs at this width."""
        super().resizeEvent(event)
        self._keep_height()

    def _keep_height(self) -> None:
        self.setMinimumHeight(max(0, self.heightForWidth(self.width())))


class Elided(QLabel):
    """One line of text that is shortened in the middle instead of widening its panel."""

    def __init__(self, role: str = "") -> None:
        super().__init__()
        self._full = ""
        if role:
            self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def say(self, text: str) -> None:
        """Show a text, whole in the tooltip."""
        self._full = text
        self.setToolTip(text)
        self._shorten()

    def resizeEvent(self, event: Any) -> None:
        """Shorten again for the new width."""
        super().resizeEvent(event)
        self._shorten()

    def _shorten(self) -> None:
        middle = Qt.TextElideMode.ElideMiddle
        self.setText(
            self.fontMetrics().elidedText(
                self._full, middle, max(20, self.contentsRect().width() - 6)
            )
        )
