"""A path to type or to choose."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QWidget

from napari_patchmap.plugin.qt.basics import button


class PathField(QWidget):
    """A line for a path, and a button that opens a dialog.

    Attributes
    ----------
    folder : bool
        Whether a folder is to be chosen.
    title, filters : str
        Of the dialog.
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
        self.browse = button("Browse…")
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
