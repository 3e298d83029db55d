"""The columns to colour by in a list, those that were found or measured below headings."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox


def fill_columns(box: QComboBox, own: Iterable[str], more: Iterable[str]) -> None:
    """List columns by their names; each item has the whole name as its data.

    Parameters
    ----------
    box : QComboBox
    own : iterable of str
        Annotations and columns of the patches.
    more : iterable of str
        Named by where they come from, such as "found: group"; that becomes a heading.
    """
    box.clear()
    for name in own:
        box.addItem(name, name)
    box.addItem("one colour", "")
    before = ""
    for name in sorted(more, key=lambda name: name.partition(": ")[0]):
        heading, _, short = name.partition(": ")
        if heading != before:
            box.addItem(f"{heading.capitalize()}:", f"\n{heading}")  # no column is called so
            box.setItemData(box.count() - 1, 0, Qt.ItemDataRole.UserRole - 1)  # not to choose
            before = heading
        box.addItem(f"   {short}", name)
        tip = f"In conditions and tables: {name}"
        box.setItemData(box.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)


def next_column(box: QComboBox) -> str | None:
    """Return the column that is listed after the one that is chosen, None in an empty list."""
    count, at = box.count(), box.currentIndex()
    for step in range(1, count + 1):
        name = str(box.itemData((at + step) % count))
        if not name.startswith("\n"):
            return name
    return None
