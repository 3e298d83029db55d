"""Widgets that lie on the canvas, above what napari shows there, and follow its size."""

from __future__ import annotations

from napari.viewer import Viewer
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QFrame, QHBoxLayout, QToolButton

from napari_patchmap.plugin.actions import with_key
from napari_patchmap.plugin.napari_private import canvas_widget
from napari_patchmap.plugin.qt.theme import colour_in

#: Distance of the help button from the corner of the canvas, in pixels.
_MARGIN = 8


class AboveCanvas(QFrame):
    """Beside the canvas in the window, so that napari's own pictures never cover it."""

    def __init__(self, viewer: Viewer) -> None:
        self.canvas = canvas_widget(viewer)
        super().__init__(self.canvas.parentWidget())
        # Not now: napari lays out what it shows itself in the same moment.
        self._soon = QTimer(self, singleShot=True, interval=0, timeout=self.place)
        self.canvas.installEventFilter(self)

    def place(self) -> None:
        """Go where it belongs on the canvas."""
        raise NotImplementedError

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the canvas."""
        moved = (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show)
        if watched is self.canvas and event.type() in moved:
            self._soon.start()
        return False


class HelpButton(AboveCanvas):
    """A small ? in the corner of the canvas."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer)
        self.button = QToolButton()
        self.button.setText("?")
        self.button.setFixedSize(22, 22)
        self.button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.button.setAccessibleName("Help")
        self.button.setToolTip(with_key("help", "All keys, and what the mouse does."))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.button)
        self.restyle(viewer.theme)
        self.place()
        self.show()

    def restyle(self, theme: str) -> None:
        """Take the colours of one of napari's themes."""
        paper, ink = colour_in(theme, "foreground"), colour_in(theme, "text")
        accent = colour_in(theme, "current")
        rgb = f"{paper.red()}, {paper.green()}, {paper.blue()}"
        self.setStyleSheet(
            "QFrame { background: transparent; }"
            f"QToolButton {{ background: rgba({rgb}, 170); color: {ink.name()}; border: 0px; "
            "border-radius: 11px; font-weight: 600; }"
            f"QToolButton:hover {{ background: {accent.name()}; }}"
        )

    def place(self) -> None:
        """Stay in the corner at the top right."""
        self.adjustSize()
        corner = self.canvas.geometry().topRight()
        self.move(corner.x() - self.width() - _MARGIN, corner.y() + _MARGIN)
        self.raise_()
