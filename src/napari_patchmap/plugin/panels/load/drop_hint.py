"""The frame around the fields of a source, onto which files can be dropped."""

from __future__ import annotations

from qtpy.QtWidgets import QFrame, QVBoxLayout, QWidget

from napari_patchmap.plugin.qt.panel import label


class DropHint(QFrame):
    """The fields in a frame that lights up under a dragged file."""

    def __init__(self, inside: QWidget) -> None:
        super().__init__()
        self.setProperty("role", "drop")
        rows = QVBoxLayout(self)
        rows.setContentsMargins(10, 8, 10, 8)
        rows.addWidget(inside)
        rows.addWidget(label("or drop a folder or file here", "hint"))

    def mark(self, over: bool) -> None:
        """Show whether something is held over the frame."""
        self.setProperty("over", "true" if over else "false")
        self.style().unpolish(self)
        self.style().polish(self)
