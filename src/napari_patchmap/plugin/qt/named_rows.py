"""A list of things with names: how many there are of each, and a small button for each."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
)


class NamedRows(QTreeWidget):
    """Rows without headings: the name has the room that is left, and is cut in its middle.

    Parameters
    ----------
    called : str
        What the list is, for those who hear it.
    name, count : int
        Which column is the name, and which the number at the right of it.
    small : int
        Which column is the small button, -1 for none.
    width : int
        Of the button's column, in pixels.
    """

    def __init__(
        self, called: str, name: int, count: int, small: int = -1, width: int = 0
    ) -> None:
        super().__init__()
        self._columns = name, count, small
        self.setColumnCount(2 if small < 0 else 3)
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAccessibleName(called)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(name, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(count, QHeaderView.ResizeMode.ResizeToContents)
        if small >= 0:
            header.setSectionResizeMode(small, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(small, width)

    def add_row(self, text: str, button: QPushButton | None = None) -> QTreeWidgetItem:
        """Add a row of this name, at the end."""
        name, count, small = self._columns
        item = QTreeWidgetItem()
        item.setText(name, text)
        item.setTextAlignment(
            count, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        )
        self.addTopLevelItem(item)
        if button is not None:
            self.setItemWidget(item, small, button)
        return item
