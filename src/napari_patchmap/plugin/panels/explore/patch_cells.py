"""The cells of the gallery: which patch each shows, and how it is painted."""

from __future__ import annotations

import html

import numpy as np
from napari.viewer import Viewer
from qtpy.QtCore import QAbstractListModel, QModelIndex, QPointF, QRect, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFont, QFontMetrics, QPaintDevice, QPainter, QPixmap
from qtpy.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from napari_patchmap.explore.ordering import Order
from napari_patchmap.explore.words import caption, details
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.qt.framed import paint_framed, size_of
from napari_patchmap.plugin.qt.theme import qcolor, theme_colour

#: Room around a thumbnail for its frame, in pixels.
_FRAME = 4

#: How much is seen of what is not selected, beside patches that are.
_DIM = 0.3

#: Below this size of the pictures, in pixels, there is no room for text.
_READABLE = 48


class PatchModel(QAbstractListModel):
    """The patches that the grid shows, as indices into the patch set.

    Attributes
    ----------
    indices : ndarray of intp, shape (m,)
    order : Order or None
        What they are sorted by.
    """

    def __init__(self, owner: MapLayer) -> None:
        super().__init__()
        self._owner = owner
        self.indices = np.empty(0, np.intp)
        self.order: Order | None = None
        self._selected = np.empty(0, bool)
        self._any_selected = False

    def set_indices(self, indices: np.ndarray, order: Order | None = None) -> None:
        """Show other patches, or the same in another order."""
        self.beginResetModel()
        self.indices, self.order = indices, order
        self._look_for_selected()
        self.endResetModel()

    def row_of(self, index: int) -> int:
        """Return the row that shows patch ``index``, -1 if none does."""
        rows = np.flatnonzero(self.indices == index)
        return int(rows[0]) if len(rows) else -1

    def set_selected(self, chosen: np.ndarray, count: int) -> None:
        """Take note which of ``count`` patches are selected."""
        self._selected = np.zeros(count, bool)
        self._selected[chosen] = True
        self._look_for_selected()

    def is_selected(self, patch: int) -> bool:
        """Whether a patch is selected."""
        return patch < len(self._selected) and bool(self._selected[patch])

    def is_faint(self, patch: int) -> bool:
        """Whether a patch stands back: it is not selected, and others that are shown are."""
        return self._any_selected and not self.is_selected(patch)

    def _look_for_selected(self) -> None:
        there = self.indices[self.indices < len(self._selected)]
        self._any_selected = bool(self._selected[there].any())

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Count the patches shown."""
        return 0 if parent.isValid() else len(self.indices)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Give the tooltip and the spoken name; pictures come from the painter."""
        patches = self._owner.workspace.patches
        if patches is None or not index.isValid():
            return None
        patch = int(self.indices[index.row()])
        if role == Qt.ItemDataRole.ToolTipRole:
            trouble = self._owner.thumbnails.trouble(patch)
            return self._value(patch) + details(patches.table, patch) + html.escape(trouble)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            state = ["selected"] if self.is_selected(patch) else []
            return ", ".join(caption(patches.table, patch) + state)
        return None

    def _value(self, patch: int) -> str:
        """Say what the patch is sorted by, unless the table below says so."""
        order = self.order
        if order is None or not order.text(patch) or order.name in self._columns():
            return ""
        said = f" ({html.escape(order.said)})" if order.said else ""
        return f"{html.escape(order.name)}{said}: {html.escape(order.text(patch))}<br>"

    def _columns(self) -> list[str]:
        patches = self._owner.workspace.patches
        return [] if patches is None else list(patches.table.columns)


class PatchPainter(QStyledItemDelegate):
    """Paints a thumbnail in a frame of its colour on the map, its label below."""

    def __init__(self, viewer: Viewer, owner: MapLayer) -> None:
        super().__init__()
        self._viewer, self._owner = viewer, owner
        self.side = 56

    def cell(self, line: int) -> QSize:
        """Return the size of a cell when a line of text is ``line`` pixels high."""
        width = self.side + 2 * _FRAME + 4
        return QSize(width, width + (line if self._labelled else 0))

    @property
    def _labelled(self) -> bool:
        colouring = self._owner.colouring
        return self.side >= _READABLE and colouring is not None and bool(colouring.names)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Return the size of every cell."""
        return self.cell(option.fontMetrics.height())

    @property
    def ready(self) -> bool:
        """Whether there is something to paint."""
        return self._owner.colouring is not None and self._owner.workspace.patches is not None

    def picture(self, on: QPaintDevice, patch: int) -> QPixmap:
        """Return the picture of a patch, or what stands for it until it has been read."""
        return self._owner.thumbnails.get(patch, self.side, on.devicePixelRatioF(), "gallery")

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """Paint one cell; what is not selected is faint beside what is, as on the map."""
        owner, model = self._owner, index.model()
        colouring = owner.colouring
        assert isinstance(model, PatchModel)
        if colouring is None or not self.ready:
            return
        patch, rect, metrics = int(model.indices[index.row()]), option.rect, option.fontMetrics
        text = theme_colour(self._viewer, "text")
        colour = qcolor(colouring.colours[patch, :3])
        opacity = _DIM if model.is_faint(patch) else 1.0
        colour.setAlphaF(opacity)
        picture = self.picture(painter.device(), patch)
        middle = QPointF(rect.center().x(), rect.y() + _FRAME + 2 + self.side / 2)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ring = text if patch == owner.workspace.current else None
        paint_framed(painter, middle, picture, colour, ring, opacity)
        painter.setOpacity(opacity)
        if self._labelled:
            name = colouring.names[colouring.codes[patch]]
            name = metrics.elidedText(name, Qt.TextElideMode.ElideRight, rect.width() - 2)
            painter.setPen(text)
            below = QRect(
                rect.x(), rect.bottom() - metrics.height(), rect.width(), metrics.height()
            )
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, name)
        order = model.order
        if order is not None and order.name != colouring.column and self.side >= _READABLE:
            half = size_of(picture) / 2
            corner = middle + QPointF(half.width(), half.height())
            _paint_value(painter, corner, order.text(patch), self.side, option.font)
        painter.restore()


def _paint_value(painter: QPainter, corner: QPointF, text: str, room: int, font: QFont) -> None:
    """Write a value into the lower right corner of a picture, readable on any."""
    if not text:
        return
    small = QFont(font)
    small.setPixelSize(11)
    metrics = QFontMetrics(small)
    text = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, room - 6)
    width, height = metrics.horizontalAdvance(text) + 6, metrics.height()
    plate = QRectF(corner.x() - width, corner.y() - height, width, height)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(0, 0, 0, 170))
    painter.drawRect(plate)
    painter.setFont(small)
    painter.setPen(QColor("white"))
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)
