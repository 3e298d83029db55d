"""A person's classes: the key that gives each, its colour, name and count."""

from __future__ import annotations

from functools import partial

import numpy as np
from qtpy.QtCore import QPoint, QSize, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QInputDialog,
    QMenu,
    QPushButton,
    QTreeWidgetItem,
)

from napari_patchmap.explore.annotation import Annotation
from napari_patchmap.explore.annotation import rgba as rgba_of
from napari_patchmap.explore.words import said_counts
from napari_patchmap.plugin.qt.basics import button
from napari_patchmap.plugin.qt.named_rows import NamedRows
from napari_patchmap.plugin.qt.swatch import ask_colour, swatch

_GIVE, _NAME, _COUNT = range(3)

#: Height of a row in pixels before there is one.
_ROW = 20


class ClassList(NamedRows):
    """One row a class; its button gives it to what is selected, its name selects its patches.

    Signals
    -------
    given(int)
        A class, by its position, or -1 for none, is to be given.
    picked(int)
        The patches of a class are to be selected.
    renamed(int, str), recoloured(int, str), keyed(int, str), merged(int, int), deleted(int)
        A class is to be changed.
    """

    given = Signal(int)
    picked = Signal(int)
    renamed = Signal(int, str)
    recoloured = Signal(int, str)
    keyed = Signal(int, str)
    merged = Signal(int, int)
    deleted = Signal(int)

    def __init__(self) -> None:
        super().__init__("Classes", _NAME, _COUNT, _GIVE, width=52)
        self._annotation: Annotation | None = None
        self._buttons: list[QPushButton] = []
        self.setToolTip(
            "Your classes: the button gives one, a click on its name selects its patches, the "
            "right button changes it."
        )
        self.setIconSize(QSize(14, 14))
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.itemClicked.connect(self._on_clicked)
        self.itemDoubleClicked.connect(lambda item, at: self.ask_name(self._row(item)))
        self.customContextMenuRequested.connect(self._on_menu)

    def show_classes(self, annotation: Annotation, selection: np.ndarray) -> None:
        """List the classes, with how many patches, of those selected and of all, have each."""
        old, self._annotation = self._annotation, annotation
        if old is None or old.classes != annotation.classes:
            self._fill(annotation)
        total = annotation.counts()
        chosen = annotation.counts(selection) if len(selection) else None
        for at, text in enumerate(said_counts(total, chosen)):
            self.topLevelItem(at).setText(_COUNT, text)

    def allow_giving(self, allowed: bool) -> None:
        """Say whether there is anything that a class could be given to."""
        for one in self._buttons:
            one.setEnabled(allowed)

    def sizeHint(self) -> QSize:
        """Be as high as the classes ask for, up to as many as there are keys."""
        rows = min(max(2, self.topLevelItemCount()), 9)
        height = rows * max(self.sizeHintForRow(0), _ROW) + 2 * self.frameWidth()
        return QSize(super().sizeHint().width(), height)

    def _fill(self, annotation: Annotation) -> None:
        self.clear()
        self._buttons = []
        for at, one in enumerate(annotation.classes):
            key = f" (key {one.key})" if one.key else ""
            give = button(one.key or "set", "small", f"Name what is selected {one.name}{key}")
            give.setAccessibleName(f"Give {one.name}")
            give.clicked.connect(partial(self.given.emit, at))
            self._buttons.append(give)
            item = self.add_row(one.name, give)
            item.setIcon(_NAME, swatch(rgba_of(one.colour)))
            item.setToolTip(
                _NAME,
                f"{one.name}\nClick: select its patches. Double click: another name. "
                "Right click: colour, key, merge, delete.",
            )
        self.updateGeometry()

    # -- what people do ---------------------------------------------------------------

    def _row(self, item: QTreeWidgetItem) -> int:
        return self.indexOfTopLevelItem(item)

    def _on_clicked(self, item: QTreeWidgetItem, column: int) -> None:
        if column != _GIVE:
            self.picked.emit(self._row(item))

    def _on_menu(self, place: QPoint) -> None:
        item = self.itemAt(place)
        if item is not None:
            menu = self.menu_of(self._row(item))
            menu.exec(self.viewport().mapToGlobal(place))

    def menu_of(self, at: int) -> QMenu:
        """Make the menu of a class."""
        assert self._annotation is not None
        classes, menu = self._annotation.classes, QMenu(self)
        menu.addAction("Select its patches", partial(self.picked.emit, at))
        menu.addAction("Rename…", partial(self.ask_name, at))
        menu.addAction("Colour…", partial(self._ask_colour, at))
        keys = menu.addMenu("Key")
        for key in ["", *"123456789"]:
            action = keys.addAction(key or "none", partial(self.keyed.emit, at, key))
            action.setCheckable(True)
            action.setChecked(classes[at].key == key)
        merge = menu.addMenu("Merge into")
        merge.setEnabled(len(classes) > 1)
        for into, other in enumerate(classes):
            if into != at:
                merge.addAction(other.name, partial(self.merged.emit, at, into))
        menu.addAction("Delete", partial(self.deleted.emit, at))
        return menu

    def ask_name(self, at: int) -> None:
        """Ask for another name of a class."""
        assert self._annotation is not None
        before = self._annotation.classes[at].name
        name, agreed = QInputDialog.getText(self, "Rename", "Name of the class:", text=before)
        if agreed and name != before:
            self.renamed.emit(at, name)

    def _ask_colour(self, at: int) -> None:
        assert self._annotation is not None
        colour = ask_colour(self, self._annotation.classes[at].colour)
        if colour:
            self.recoloured.emit(at, colour)
