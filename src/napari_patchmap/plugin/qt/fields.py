"""One input field for one setting of a config."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QUrl
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QWidget,
)

from napari_patchmap.plugin.qt.basics import button, choice, row, set_look
from napari_patchmap.plugin.qt.number_box import AUTO, number_box
from napari_patchmap.settings import Setting

#: Pixels that a list needs beside its texts, for a scroll bar.
_BAR = 32


@dataclass(eq=False)
class Field:
    """A widget with a way to read and to show a setting's value."""

    widget: QWidget
    value: Callable[[], Any]  # what the person entered
    show: Callable[[Any], None]
    typed: Any = None  # signal of the widget, for each letter before the value is taken
    caption: QLabel | None = None  # the name beside the widget
    offer: Callable[[Iterable[str]], None] | None = None  # takes what there is to choose
    line: QLineEdit | None = None  # where it is written, if that is a part of the widget

    def commit(self) -> None:
        """Take what was typed and not yet confirmed."""
        if isinstance(self.widget, QAbstractSpinBox):
            self.widget.interpretText()

    def mark(self, refused: bool) -> None:
        """Show whether the value cannot be taken."""
        for part in filter(None, (self.widget, self.line)):
            set_look(part, "refused", refused)


def make_field(item: Setting, edited: Callable[[], None]) -> Field:
    """Make the widget for a setting; ``edited`` is called whenever its value changes."""
    if item.type is bool:
        return _switch(item, edited)
    if item.choices:
        return _choice(item, edited)
    if item.offered:
        return _offered(item, edited)
    if item.type in (int, float):
        return _number(item, edited)
    if item.suggestions:
        return _suggestion(item, edited)
    if item.file:
        return _file(item, edited)
    return _text(item, edited)


def _switch(item: Setting, edited: Callable[[], None]) -> Field:
    box = QCheckBox(item.label)
    box.toggled.connect(lambda _: edited())
    return Field(box, box.isChecked, lambda value: box.setChecked(bool(value)))


def _choice(item: Setting, edited: Callable[[], None]) -> Field:
    box = choice(letters=6)
    if item.optional:
        box.addItem(AUTO, None)
    for one in item.choices:
        box.addItem(item.titles.get(one, str(one)), one)
    _widen(box)
    box.currentIndexChanged.connect(lambda _: edited())
    return Field(box, box.currentData, lambda value: box.setCurrentIndex(box.findData(value)))


def _widen(box: QComboBox) -> None:
    """Open a list as wide as what is in it, however narrow the panel is."""
    box.view().setMinimumWidth(box.view().sizeHintForColumn(0) + _BAR)


def _offered(item: Setting, edited: Callable[[], None]) -> Field:
    """Make a list of what is there; the value stays when other things are, if it is one."""
    box = choice(letters=6)

    def add(value: str) -> None:
        box.addItem(item.titles.get(value, value), value)

    def offer(values: Iterable[str]) -> None:
        before = box.currentData()
        box.blockSignals(True)
        box.clear()
        for one in values:
            add(one)
        box.setCurrentIndex(max(0, box.findData(before)))
        box.blockSignals(False)

    def show(value: Any) -> None:
        if box.findData(value) < 0:
            add(value)
        box.setCurrentIndex(box.findData(value))

    box.currentIndexChanged.connect(lambda _: edited())
    return Field(box, box.currentData, show, offer=offer)


def _suggestion(item: Setting, edited: Callable[[], None]) -> Field:
    """Make a list of suggestions into which anything else can be typed."""
    box = choice(letters=6)
    box.setEditable(True)
    # What is typed is taken as it is, and neither completed nor added to the list.
    box.setCompleter(None)
    box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    box.addItems([AUTO] * item.optional)
    for one in item.suggestions:
        box.addItem(item.titles.get(one, one), one)
    _widen(box)
    line = box.lineEdit()
    # Not the words themselves: what is typed would be added to them.
    line.setPlaceholderText(AUTO if item.optional else "")

    def chosen() -> None:
        if item.optional and box.currentIndex() == 0 and line.text() == AUTO:
            line.clear()
        elif line.text() == box.itemText(box.currentIndex()):
            line.setText(box.currentData() or line.text())  # a value, not what is said of it
        edited()

    box.currentIndexChanged.connect(lambda _: chosen())
    box.activated.connect(lambda _: chosen())  # the one that was chosen before, too
    line.editingFinished.connect(edited)

    def value() -> Any:
        text = box.currentText().strip()
        return None if item.optional and text in ("", AUTO) else text

    def show(given: Any) -> None:
        text = given or ""
        box.setCurrentIndex(box.findData(text) if text else box.findText(AUTO))
        box.setEditText(text)
        line.setCursorPosition(0)  # of a long one the beginning is shown

    return Field(box, value, show, line.textEdited)


def _number(item: Setting, edited: Callable[[], None]) -> Field:
    box = number_box(item)
    box.valueChanged.connect(lambda _: edited())
    return Field(box, box.entered, box.show_number, box.lineEdit().textEdited)


def _file(item: Setting, edited: Callable[[], None]) -> Field:
    """Make a line for the path of a file, and a button that opens a dialog."""
    line, browse = QLineEdit(), button("Browse…", "", "Choose the file in a dialog.")
    line.setPlaceholderText("none" if item.optional else "")
    line.setToolTip(f"<qt>{item.help}</qt>")
    line.setMinimumWidth(60)
    box = QWidget()
    parts = row(line, browse)
    parts.setStretch(0, 1)
    box.setLayout(parts)

    def value() -> Any:
        path = line.text().strip().strip("\"'")
        if path.startswith("file://"):  # as it is dropped
            path = QUrl(path).toLocalFile()
        return path or (None if item.optional else "")

    def choose() -> None:
        path, _ = QFileDialog.getOpenFileName(box, item.label, value() or "")
        if path:
            line.setText(path)
            edited()

    line.editingFinished.connect(edited)
    browse.clicked.connect(lambda _: choose())
    return Field(box, value, lambda path: line.setText(path or ""), line.textEdited, line=line)


def _text(item: Setting, edited: Callable[[], None]) -> Field:
    """Make a line of text; a tuple is written as numbers with spaces between."""
    box = QLineEdit()
    box.setPlaceholderText(AUTO if item.optional else "")
    box.editingFinished.connect(edited)

    def value() -> Any:
        words = box.text().replace(",", " ").replace(";", " ").split()
        if item.type is not tuple:
            return box.text() or (None if item.optional else "")
        return tuple(words) or None

    def show(given: Any) -> None:
        many = isinstance(given, tuple)
        box.setText(" ".join(f"{v:g}" for v in given) if many else str(given or ""))

    return Field(box, value, show, box.textEdited)
