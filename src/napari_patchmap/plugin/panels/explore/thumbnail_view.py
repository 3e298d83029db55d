"""A grid of thumbnails that stays quick with any number of patches."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from napari.viewer import Viewer
from qtpy.QtCore import QEvent, QModelIndex, QPoint, QRect, Qt, Signal
from qtpy.QtGui import (
    QContextMenuEvent,
    QKeyEvent,
    QMouseEvent,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from qtpy.QtWidgets import QApplication, QRubberBand

from napari_patchmap.explore.ordering import Order
from napari_patchmap.explore.selection import How
from napari_patchmap.plugin.actions import ACTIONS, Where
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.explore.cell_grid import CellGrid
from napari_patchmap.plugin.panels.explore.patch_cells import PatchModel, PatchPainter
from napari_patchmap.plugin.qt.keyboard import key_of
from napari_patchmap.plugin.qt.modifiers import how_meant
from napari_patchmap.plugin.qt.subscribe import subscribe

#: Longer side of a picture in pixels: the smallest, the largest, and what a notch of the
#: wheel makes of it.
SMALLEST, LARGEST, _NOTCH = 24, 320, 1.15

_SHIFT = Qt.KeyboardModifier.ShiftModifier
_CONTROL = Qt.KeyboardModifier.ControlModifier
_NONE = Qt.KeyboardModifier.NoModifier
_KEYPAD = Qt.KeyboardModifier.KeypadModifier
_LEFT = Qt.MouseButton.LeftButton

#: What keys do here that do something else, or nothing, where people look at the canvas.
_NAMES = {
    key: action.name
    for action in ACTIONS.values()
    if action.where is Where.GALLERY or action.name in ("select_all", "select_none")
    for key in action.keys
}


class ThumbnailView(CellGrid):
    """The grid. It says what people do in it; what is selected is not its own.

    Signals
    -------
    looked_at(int)
        A patch was clicked or reached with the keys.
    opened(int)
        A patch was double-clicked, or Return was pressed on it.
    chosen(ndarray, str)
        Patches were selected here, and how: "replace", "add" or "subtract".
    given_up()
        Esc was pressed.
    copied()
        The names of the files are wanted.
    asked(int, QPoint)
        The menu of a patch is wanted at a place of the screen.
    side_changed(int)
        The pictures have another size, in pixels.
    """

    looked_at = Signal(int)
    opened = Signal(int)
    chosen = Signal(object, str)
    given_up = Signal()
    copied = Signal()
    asked = Signal(int, QPoint)
    side_changed = Signal(int)

    def __init__(self, viewer: Viewer, owner: MapLayer) -> None:
        super().__init__()
        self.patches = PatchModel(owner)
        self.painter = PatchPainter(viewer, owner)
        self.setModel(self.patches)
        self.setItemDelegate(self.painter)
        self.setAccessibleName("Patches")
        self.setToolTip(
            "Click: look at a patch. Ctrl+click, or draw a box: select. Double click: show "
            "where it is. The right button has more."
        )
        self.setMinimumHeight(90)
        self._anchor = -1  # the patch at which a range begins
        self._wheel = 0.0
        self._press: QPoint | None = None  # in the whole list, while the mouse is down
        self._band = QRubberBand(QRubberBand.Shape.Rectangle, self.viewport())
        subscribe(self, owner.thumbnails.arrived, self._on_pictures)

    # -- what is shown ---------------------------------------------------------------------

    def show_patches(
        self, indices: np.ndarray, current: int, order: Order | None = None
    ) -> None:
        """Show these patches, in this order."""
        self.patches.set_indices(indices, order)
        self._tile()
        self.scrollToTop()
        self.follow(current)

    def follow(self, current: int) -> None:
        """Mark the current patch and scroll to it, if it is here."""
        row = self.patches.row_of(current)
        place = self.patches.index(row, 0) if row >= 0 else QModelIndex()
        self.setCurrentIndex(place)
        if row >= 0:
            self.scrollTo(place)
            self._anchor = current
        self.viewport().update()

    def set_side(self, side: int, around: QPoint | None = None) -> None:
        """Show thumbnails of another size, in pixels; a patch in view stays where it is.

        That is the one at ``around``, or else the current one if it is to be seen, or the
        one in the middle.
        """
        side = min(max(side, SMALLEST), LARGEST)
        if side == self.painter.side:
            return
        middle = self.viewport().rect().center()
        kept = self._kept(around, middle)
        before = self.visualRect(kept).center().y()
        self.painter.side = side
        self._tile()
        bar = self.verticalScrollBar()
        if kept.isValid():
            bar.setValue(bar.value() + self.visualRect(kept).center().y() - before)
            if not self.viewport().rect().contains(self.visualRect(kept).center()):
                self.scrollTo(kept)
        self.side_changed.emit(side)

    def _kept(self, around: QPoint | None, middle: QPoint) -> QModelIndex:
        current, seen = self.currentIndex(), self.viewport().rect()
        if around is None and seen.intersects(self.visualRect(current)):
            return current
        found = self.indexAt(around or middle)
        if found.isValid():
            return found
        rows = self.rows_in(seen.translated(0, self.verticalOffset()))
        return self.patches.index(int(rows[len(rows) // 2]), 0) if len(rows) else QModelIndex()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Spread the columns over the width there is."""
        kept = self._kept(None, self.viewport().rect().center())
        super().resizeEvent(event)
        self._tile()
        if kept.isValid():
            self.scrollTo(kept)

    def _tile(self) -> None:
        self.set_cell(self.painter.cell(self.fontMetrics().height()))

    def restyle(self) -> None:
        """Paint with other colours and names."""
        self._tile()

    def patch_at(self, place: QModelIndex) -> int:
        """Return the patch of a cell, -1 for none."""
        return int(self.patches.indices[place.row()]) if place.isValid() else -1

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint what is asked for; where that is a part, the rest still waits for pictures."""
        for row in self._rows_in_view() if self.painter.ready else ():
            self.painter.picture(self.viewport(), int(self.patches.indices[row]))
        super().paintEvent(event)

    def _rows_in_view(self) -> list[int]:
        seen = self.viewport().rect().translated(0, self.verticalOffset())
        return self.rows_in(seen).tolist()

    def _on_pictures(self, patches: frozenset[int]) -> None:
        """Paint the cells again whose pictures have come; not for the card of the map."""
        for row in self._rows_in_view():
            if int(self.patches.indices[row]) in patches:
                self.viewport().update(self.visualRect(self.patches.index(row, 0)))

    # -- looking and selecting ---------------------------------------------------------------

    def _look(self, row: int) -> None:
        place = self.patches.index(row, 0)
        self.setCurrentIndex(place)
        self.scrollTo(place)
        self.looked_at.emit(self.patch_at(place))

    def look_at_next(self, step: int = 1) -> bool:
        """Look at the patch after the current one, as they are shown; False for no patches."""
        if self.count:
            row = self.currentIndex().row()
            self._look(min(max(row + step, 0), self.count - 1))
        return self.count > 0

    def look_at_previous(self) -> bool:
        """Look at the patch before the current one; False for no patches."""
        return self.look_at_next(-1)

    def _toggle(self, row: int) -> None:
        patch = int(self.patches.indices[row])
        self._anchor = patch
        taken = self.patches.is_selected(patch)
        self.chosen.emit(np.array([patch]), "subtract" if taken else "add")

    def _select_range(self, row: int, widen: bool) -> None:
        """Select from the anchor to a row; ``widen`` gives it the anchor's state instead."""
        start = self.patches.row_of(self._anchor)
        first, last = sorted((row if start < 0 else start, row))
        how: How = "replace"
        if widen:
            how = "add" if start < 0 or self.patches.is_selected(self._anchor) else "subtract"
        self.chosen.emit(self.patches.indices[first : last + 1], how)

    def _reach(self, row: int, modifiers: Qt.KeyboardModifier) -> None:
        """Go to a row; with Shift select up to it."""
        self._look(row)
        if modifiers & _SHIFT:
            self._select_range(row, bool(modifiers & _CONTROL))
        else:
            self._anchor = int(self.patches.indices[row])

    # -- mouse -------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Look at a patch; Ctrl takes it into the selection or out of it, Shift a range."""
        place = self.indexAt(event.pos())
        if event.button() != _LEFT:
            return
        self._press = event.pos() + QPoint(0, self.verticalOffset())
        if not place.isValid():
            return
        if event.modifiers() & _CONTROL and not event.modifiers() & _SHIFT:
            self._look(place.row())
            self._toggle(place.row())
        else:
            self._reach(place.row(), event.modifiers())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw a box around patches."""
        if self._press is None:
            return
        box = self._box(event.pos())
        if not self._band.isVisible():
            if box.width() + box.height() < QApplication.startDragDistance():
                return
            self._band.show()
        self._band.setGeometry(box.translated(0, -self.verticalOffset()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Select what the box encloses: Shift or Ctrl adds it, Alt takes it away."""
        if event.button() != _LEFT or self._press is None:
            return
        rows, drawn = self.rows_in(self._box(event.pos())), self._band.isVisible()
        self._press = None
        self._band.hide()
        if drawn:
            how = how_meant(event.modifiers())
            if how == "replace" and event.modifiers() & _CONTROL:
                how = "add"
            self.chosen.emit(self.patches.indices[rows], how)

    def _box(self, now: QPoint) -> QRect:
        """Return the box from the press to here, in the whole list."""
        assert self._press is not None
        return QRect(self._press, now + QPoint(0, self.verticalOffset())).normalized()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Go to where a patch lies."""
        place = self.indexAt(event.pos())
        if event.button() == _LEFT and place.isValid():
            self.opened.emit(self.patch_at(place))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll; with Ctrl make the pictures larger or smaller."""
        if not event.modifiers() & _CONTROL:
            super().wheelEvent(event)
            return
        self._wheel += event.angleDelta().y() / 120
        side = round(self.painter.side * _NOTCH**self._wheel)
        if side != self.painter.side:  # finer wheels send parts of a notch
            self._wheel = 0.0
            self.set_side(side, event.position().toPoint())
        event.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu of the patch under the mouse, or of the current one."""
        place = self.indexAt(event.pos())
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            place = self.currentIndex()
        if place.isValid():
            self.asked.emit(self.patch_at(place), event.globalPos())

    # -- keys --------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Have our keys before shortcuts of the window that are called the same."""
        override = event.type() == QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and self._action(event) is not None:
            event.accept()
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move, select, open or copy; other keys are not ours."""
        act = self._action(event)
        if act is None:
            event.ignore()  # Qt's own search by letters would walk over all patches
        else:
            act()

    def _action(self, event: QKeyEvent) -> Callable[[], object] | None:
        """Return what a key does here, None if nothing."""
        here, pressed = self.currentIndex(), event.modifiers() & ~_KEYPAD
        name = _NAMES.get(key_of(event))
        if self.count and pressed in (_NONE, _SHIFT, _SHIFT | _CONTROL):
            row = self.row_after(here.row(), event.key())
            if row is not None:
                return partial(self._reach, row, pressed)
        acts: dict[str | None, Callable[[], object]] = {
            "select_all": self._select_all,
            "select_none": self._give_up,
            "copy": self.copied.emit,
        }
        if here.isValid():
            acts["toggle"] = partial(self._toggle, here.row())
            acts["open"] = partial(self.opened.emit, self.patch_at(here))
        return acts.get(name)

    def _give_up(self) -> None:
        if self._press is not None and self._band.isVisible():
            self._press = None
            self._band.hide()
        else:
            self.given_up.emit()

    def _select_all(self) -> None:
        self.chosen.emit(self.patches.indices, "replace")
