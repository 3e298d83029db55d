"""A heading that unfolds what is below it."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QToolButton, QWidget

from napari_patchmap.plugin.qt.basics import column


class Fold(QWidget):
    """A heading that hides or shows what is below it; ``role`` is one of the style sheet's."""

    toggled = Signal(bool)

    def __init__(self, title: str, role: str = "fold") -> None:
        super().__init__()
        self._title = title
        self.button = QToolButton()
        self.button.setProperty("role", role)
        self.button.setCheckable(True)
        self.button.setToolTip("Show or hide what belongs to this.")
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.body = QWidget()
        column(self, self.button, self.body, spacing=4)
        self.button.toggled.connect(self.open)
        self.open(False)

    def open(self, shown: bool) -> None:
        """Show or hide the body."""
        self.button.setChecked(shown)
        self.button.setText(self._title)
        arrow = Qt.ArrowType.DownArrow if shown else Qt.ArrowType.RightArrow
        self.button.setArrowType(arrow)
        self.body.setVisible(shown)
        self.toggled.emit(shown)

    def rename(self, title: str) -> None:
        """Change the heading."""
        self._title = title
        self.button.setText(title)
