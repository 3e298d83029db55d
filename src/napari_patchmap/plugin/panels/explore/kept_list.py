"""The list of selections that are kept: a name, how many patches, and a menu a row."""

from __future__ import annotations

from functools import partial
from typing import Any

from qtpy.QtCore import QPoint, Qt, Signal
from qtpy.QtGui import QKeyEvent, QMouseEvent
from qtpy.QtWidgets import QAbstractItemView, QMenu, QTreeWidgetItem

from napari_patchmap.explore.named_selections import Combination
from napari_patchmap.plugin.qt.basics import button
from napari_patchmap.plugin.qt.named_rows import NamedRows

_NAME, _COUNT, _MENU = range(3)

#: Rows that are seen at once; of more the list scrolls.
_ROWS = 4

_WAYS: tuple[tuple[Qt.KeyboardModifier, Combination], ...] = (
    (Qt.KeyboardModifier.ControlModifier, "and"),
    (Qt.KeyboardModifier.AltModifier, "not"),
    (Qt.KeyboardModifier.ShiftModifier, "or"),
)

_HELP = (
    "Click or Enter: select these patches. Shift adds them to what is selected, Alt takes them "
    "away, Ctrl leaves what is in both. F2 or double click: another name. Delete: forget it."
)


class KeptList(NamedRows):
    """Rows that are shown, combined, renamed and deleted, by the mouse and by keys.

    Signals
    -------
    picked(str, str)
        A selection, by its name, and how it goes with the present one: "and", "or", "not",
        or "" in its place.
    renamed(str, str), replaced(str), deleted(str)
        A selection is to be changed.
    """

    picked = Signal(str, str)
    renamed = Signal(str, str)
    replaced = Signal(str)
    deleted = Signal(str)

    def __init__(self) -> None:
        super().__init__("Kept selections", _NAME, _COUNT, _MENU, width=30)
        self._names: list[str] = []
        self._fixed = False
        self.setUniformRowHeights(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.itemChanged.connect(self._on_edited)
        self.customContextMenuRequested.connect(self._on_menu)

    def show_rows(self, names: list[str], counts: list[str], tips: list[str]) -> None:
        """List selections: their names, how many patches each has, and more for the tooltip."""
        self.blockSignals(True)
        if names != self._names:
            # The one that was just kept, or where one was deleted or renamed.
            row = self.currentIndex().row() if len(names) <= len(self._names) else len(names)
            self._fill(names)
            self.setCurrentItem(self.topLevelItem(min(row, len(names) - 1)))
        for row, (name, count, tip) in enumerate(zip(names, counts, tips, strict=True)):
            item = self.topLevelItem(row)
            item.setText(_NAME, name)  # a new one that was refused is taken back
            item.setText(_COUNT, count)
            for at in (_NAME, _COUNT):
                item.setToolTip(at, tip + _HELP)
        self.blockSignals(False)

    def _fill(self, names: list[str]) -> None:
        self.clear()
        self._names = names
        for row, name in enumerate(names):
            more = button("⋯", "small", "Combine it with what is selected; rename, delete.")
            more.setAccessibleName(f"What can be done with {name}")
            more.clicked.connect(partial(self._open_menu, row))
            item = self.add_row(name, more)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        height = max(self.sizeHintForRow(0), 22) if names else 0
        self.setFixedHeight(height * min(len(names), _ROWS) + 2 * self.frameWidth())

    def fix(self, fixed: bool) -> None:
        """Say whether names and what has them cannot be changed now."""
        self._fixed = fixed

    # -- what people do ---------------------------------------------------------------

    def menu_of(self, row: int) -> QMenu:
        """Make the menu of a selection."""
        name, menu = self._names[row], QMenu(self)
        for text, way in (
            ("Select these\tEnter", ""),
            ("And: only what is in both\tCtrl+Enter", "and"),
            ("Or: these as well\tShift+Enter", "or"),
            ("Not: take these away\tAlt+Enter", "not"),
        ):
            menu.addAction(text, partial(self.picked.emit, name, way))
        menu.addSeparator()
        changes = (
            ("Put what is selected in its place", partial(self.replaced.emit, name)),
            ("Rename\tF2", partial(self.rename, row)),
            ("Delete\tDel", partial(self.deleted.emit, name)),
        )
        for text, act in changes:
            menu.addAction(text, act).setEnabled(not self._fixed)
        return menu

    def rename(self, row: int) -> None:
        """Let a person type another name in its row."""
        if not self._fixed:
            self.editItem(self.topLevelItem(row), _NAME)

    def _on_edited(self, item: QTreeWidgetItem, column: int) -> None:
        before = self._names[self.indexOfTopLevelItem(item)]
        if column == _NAME and item.text(_NAME) != before:
            self.renamed.emit(before, item.text(_NAME))

    def _open_menu(self, row: int) -> None:
        place = self.visualItemRect(self.topLevelItem(row)).bottomRight()
        self.menu_of(row).popup(self.viewport().mapToGlobal(place))

    def _on_menu(self, place: QPoint) -> None:
        item = self.itemAt(place) or self.currentItem()
        if item is not None:
            row = self.indexOfTopLevelItem(item)
            self.menu_of(row).popup(self.viewport().mapToGlobal(place))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Pick the selection under the mouse."""
        item = self.itemAt(event.pos())
        if item is not None:
            self.setCurrentItem(item)
            if event.button() == Qt.MouseButton.LeftButton:
                self._pick(self.indexOfTopLevelItem(item), event.modifiers())
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Type another name."""
        item = self.itemAt(event.pos())
        if item is not None and event.button() == Qt.MouseButton.LeftButton:
            self.rename(self.indexOfTopLevelItem(item))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Act on the marked selection; arrows go from one to the next."""
        row, key = self.currentIndex().row(), event.key()
        if row < 0 or self.state() == QAbstractItemView.State.EditingState:
            super().keyPressEvent(event)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._pick(row, event.modifiers())
        elif key == Qt.Key.Key_F2:
            self.rename(row)
        elif key == Qt.Key.Key_Delete and not self._fixed:
            self.deleted.emit(self._names[row])
        else:
            super().keyPressEvent(event)

    def _pick(self, row: int, modifiers: Any) -> None:
        way = next((way for modifier, way in _WAYS if modifiers & modifier), "")
        self.picked.emit(self._names[row], way)
