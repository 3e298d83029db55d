"""The groups that were found: colour, name, size, what sets each apart, typical patches."""

from __future__ import annotations

from html import escape
from typing import Any

from qtpy.QtCore import QEvent, QModelIndex, QPoint, QRect, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from napari_patchmap.patches import PatchSet
from napari_patchmap.percent import percent
from napari_patchmap.plugin.qt.swatch import swatch
from napari_patchmap.plugin.qt.thumbnails import Thumbnails

_NAME, _PICTURES = range(2)

#: Side of a picture and of a row, and the gap between pictures, in pixels.
_SIDE, _ROW, _GAP = 30, 40, 2

#: Rows that are seen at once at most.
_MOST_ROWS = 9

#: Where an item keeps its group.
_GROUP = Qt.ItemDataRole.UserRole


class GroupsTable(QTreeWidget):
    """One row a group; a double click on a name changes it.

    Signals
    -------
    picked(list of str)
        The groups whose rows are chosen.
    renamed(str, str)
        A group is to have another name.
    looked_at(int)
        A picture was clicked: the patch that it shows.
    """

    picked = Signal(list)
    renamed = Signal(str, str)
    looked_at = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setColumnCount(2)
        self.setHeaderHidden(True)
        self.setToolTip(
            "Click: select the patches of a group; with Ctrl of several. Double click: rename. "
            "A picture, of the three nearest to its middle: look at that patch."
        )
        self.setAccessibleName("Groups")
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(_PICTURES, QHeaderView.ResizeMode.Fixed)
        header.resizeSection(_PICTURES, 3 * (_SIDE + _GAP) + 6)
        self.pictures = Thumbnails(self)
        self.pictures.arrived.connect(self._on_arrived)
        self._names, self._typical = _TwoLines(self), _Pictures(self, self.pictures)
        self.setItemDelegateForColumn(_NAME, self._names)
        self.setItemDelegateForColumn(_PICTURES, self._typical)
        self.itemSelectionChanged.connect(lambda: self.picked.emit(self.chosen()))
        self.itemDoubleClicked.connect(self._on_double_click)
        self.itemChanged.connect(self._on_changed)

    def chosen(self) -> list[str]:
        """Return the names of the groups whose rows are chosen."""
        return [item.data(_NAME, _GROUP)["name"] for item in self.selectedItems()]

    def show_groups(
        self, groups: list[dict[str, Any]], colours: dict[str, Any], patches: PatchSet | None
    ) -> None:
        """Show the groups of a report, with a colour (RGBA, 0 to 1) of each by its name."""
        self.blockSignals(True)
        self.pictures.set_patches(patches)
        self.clear()
        for group in groups:
            item = QTreeWidgetItem()
            item.setData(_NAME, _GROUP, group)
            item.setText(_NAME, group["name"])
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            if group["name"] in colours:
                item.setIcon(_NAME, swatch(colours[group["name"]]))
            item.setToolTip(_NAME, _told(group))
            self.addTopLevelItem(item)
        self.setColumnHidden(_PICTURES, patches is None)
        rows = min(max(1, len(groups)), _MOST_ROWS)
        self.setFixedHeight(rows * _ROW + 4)
        self.blockSignals(False)

    def _on_arrived(self, _: object) -> None:
        self.viewport().update()

    def _on_double_click(self, item: QTreeWidgetItem, column: int) -> None:
        if column != _PICTURES:
            self.editItem(item, _NAME)

    def _on_changed(self, item: QTreeWidgetItem, column: int) -> None:
        old, new = item.data(_NAME, _GROUP)["name"], item.text(_NAME)
        if column == _NAME and new != old:
            self.blockSignals(True)
            item.setText(_NAME, old)  # until it has been taken
            self.blockSignals(False)
            self.renamed.emit(old, new)


def _counted(group: dict[str, Any]) -> str:
    """Say how large a group is, and the share of its most frequent label."""
    labelled = f" · {percent(group['pure'])} {group['label']}" if "pure" in group else ""
    return f"{group['size']:,}{labelled}"


def _told(group: dict[str, Any]) -> str:
    parts = [f"<b>{escape(group['name'])}</b>: {escape(_counted(group))}"]
    if group["apart"]:
        parts.append(escape(group["apart"]))
    return f"<qt>{'<br>'.join(parts)}</qt>"


class _TwoLines(QStyledItemDelegate):
    """The name with numbers, and below it in small letters what sets the group apart."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return QSize(80, _ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        group, whole = index.data(_GROUP), QRect(option.rect)
        style = option.widget.style()
        style.drawPrimitive(
            QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget
        )
        if group["apart"]:
            option.rect = whole.adjusted(0, 0, 0, -whole.height() // 2)
        super().paint(painter, option, index)
        option.rect = whole
        painter.save()
        font = painter.font()
        font.setPointSizeF(max(6.0, 0.84 * option.font.pointSizeF()))
        painter.setFont(font)
        colour = QColor(option.palette.text().color())
        colour.setAlpha(180)
        painter.setPen(colour)
        inside = whole.adjusted(option.decorationSize.width() + 8, 0, -4, -4)
        top = inside.adjusted(
            painter.fontMetrics().horizontalAdvance(group["name"]) + 30, 4, 0, 0
        )
        right, left = Qt.AlignmentFlag.AlignRight, Qt.AlignmentFlag.AlignLeft
        _write(painter, top, right | Qt.AlignmentFlag.AlignTop, _counted(group))
        _write(painter, inside, left | Qt.AlignmentFlag.AlignBottom, group["apart"])
        painter.restore()


def _write(painter: QPainter, place: QRect, how: Qt.AlignmentFlag, text: str) -> None:
    cut = Qt.TextElideMode.ElideRight
    painter.drawText(place, how, painter.fontMetrics().elidedText(text, cut, place.width()))


class _Pictures(QStyledItemDelegate):
    """The pictures of the typical patches side by side."""

    def __init__(self, parent: GroupsTable, pictures: Thumbnails) -> None:
        super().__init__(parent)
        self._table, self._pictures = parent, pictures

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        super().paint(painter, option, index)
        ratio = option.widget.devicePixelRatioF() if isinstance(option.widget, QWidget) else 1.0
        for place, patch in enumerate(index.siblingAtColumn(_NAME).data(_GROUP)["typical"]):
            picture = self._pictures.get(patch, _SIDE, ratio)
            size = picture.deviceIndependentSize().toSize()
            where = QRect(QPoint(0, 0), size)
            where.moveCenter(_cell(option.rect, place).center())
            painter.drawPixmap(where, picture)

    def editorEvent(
        self, event: QEvent, model: Any, option: QStyleOptionViewItem, index: QModelIndex
    ) -> bool:
        if event.type() == QEvent.Type.MouseButtonRelease:
            place = event.position().toPoint()
            for at, patch in enumerate(index.siblingAtColumn(_NAME).data(_GROUP)["typical"]):
                if _cell(option.rect, at).contains(place):
                    self._table.looked_at.emit(patch)
        return False


def _cell(row: QRect, place: int) -> QRect:
    left = row.left() + 3 + place * (_SIDE + _GAP)
    return QRect(left, row.top() + (row.height() - _SIDE) // 2, _SIDE, _SIDE)
