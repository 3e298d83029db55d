"""A grid of thumbnails that stays quick with any number of patches."""

from __future__ import annotations

import html

import numpy as np
from napari.viewer import Viewer
from qtpy.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPointF,
    QRect,
    QSize,
    Qt,
    Signal,
)
from qtpy.QtGui import QPainter, QResizeEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from napari_patchmap.explore.words import caption, details
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.own_changes import Quiet
from napari_patchmap.plugin.qt.framed import paint_framed
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.qt.theme import qcolor, theme_colour

#: Room around a thumbnail for its frame, in pixels.
_FRAME = 4


class PatchModel(QAbstractListModel):
    """The patches that the grid shows, as indices into the patch set."""

    def __init__(self, owner: MapLayer) -> None:
        super().__init__()
        self._owner = owner
        self.indices = np.empty(0, np.intp)

    def set_indices(self, indices: np.ndarray) -> None:
        """Show other patches."""
        self.beginResetModel()
        self.indices = indices
        self.endResetModel()

    def row_of(self, index: int) -> int:
        """Return the row that shows patch ``index``, -1 if none does."""
        rows = np.flatnonzero(self.indices == index)
        return int(rows[0]) if len(rows) else -1

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
            return details(patches.table, patch) + html.escape(trouble)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(caption(patches.table, patch))
        return None


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
        return self.side >= 48 and colouring is not None and bool(colouring.names)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Return the size of every cell."""
        return self.cell(option.fontMetrics.height())

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """Paint one cell."""
        owner, model = self._owner, index.model()
        colouring = owner.colouring
        assert isinstance(model, PatchModel)
        if colouring is None or owner.workspace.patches is None:
            return
        patch, rect, metrics = int(model.indices[index.row()]), option.rect, option.fontMetrics
        text = theme_colour(self._viewer, "text")
        colour = qcolor(colouring.colours[patch, :3])
        picture = owner.thumbnails.get(patch, self.side, painter.device().devicePixelRatioF())
        middle = QPointF(rect.center().x(), rect.y() + _FRAME + 2 + self.side / 2)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ring = text if patch == owner.workspace.current else None
        paint_framed(painter, middle, picture, colour, ring)
        if self._labelled:
            name = colouring.names[colouring.codes[patch]]
            name = metrics.elidedText(name, Qt.TextElideMode.ElideRight, rect.width() - 2)
            painter.setPen(text)
            below = QRect(
                rect.x(), rect.bottom() - metrics.height(), rect.width(), metrics.height()
            )
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, name)
        painter.restore()


class ThumbnailView(QListView, Quiet):
    """The grid.

    Signals
    -------
    looked_at(int)
        A patch was clicked or reached with the arrow keys.
    opened(int)
        A patch was double-clicked.
    """

    looked_at = Signal(int)
    opened = Signal(int)

    def __init__(self, viewer: Viewer, owner: MapLayer) -> None:
        super().__init__()
        self.patches = PatchModel(owner)
        self.painter = PatchPainter(viewer, owner)
        self.setModel(self.patches)
        self.setItemDelegate(self.painter)
        # A wrapped list lays out equal cells by arithmetic; icon mode would
        # walk over all of them, which is felt from some ten thousand on.
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # Always there, or its coming and going would change the number of columns.
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setAccessibleName("Patches")
        self.setMinimumHeight(90)
        self.selectionModel().currentChanged.connect(self._on_row)
        self.doubleClicked.connect(self._on_double_click)
        subscribe(self, owner.thumbnails.arrived, self._on_pictures)

    def show_patches(self, indices: np.ndarray, current: int) -> None:
        """Show these patches, in this order."""
        with self.quiet():
            self.patches.set_indices(indices)
            self._tile()
            self.scrollToTop()
        self.follow(current)

    def follow(self, current: int) -> None:
        """Mark the current patch and scroll to it, if it is here."""
        row = self.patches.row_of(current)
        place = self.patches.index(row, 0) if row >= 0 else QModelIndex()
        with self.quiet():
            self.setCurrentIndex(place)
            if row >= 0:
                self.scrollTo(place)
        self.viewport().update()

    def set_side(self, side: int) -> None:
        """Show thumbnails of another size, in pixels."""
        self.painter.side = side
        self._tile()
        self.follow(self._patch_at(self.currentIndex()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Spread the columns over the width there is."""
        super().resizeEvent(event)
        self._tile()

    def _tile(self) -> None:
        cell = self.painter.cell(self.fontMetrics().height())
        columns = max(1, (self.viewport().width() - 1) // cell.width())
        self.setGridSize(QSize((self.viewport().width() - 1) // columns, cell.height()))

    def _patch_at(self, place: QModelIndex) -> int:
        return int(self.patches.indices[place.row()]) if place.isValid() else -1

    def _on_row(self, now: QModelIndex, before: QModelIndex) -> None:
        if not self.busy and now.isValid():
            self.looked_at.emit(self._patch_at(now))

    def _on_pictures(self) -> None:
        self.viewport().update()

    def _on_double_click(self, place: QModelIndex) -> None:
        self.opened.emit(self._patch_at(place))
