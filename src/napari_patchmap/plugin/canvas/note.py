"""A few words on the canvas: what the map is so far."""

from __future__ import annotations

import weakref

from napari.components.viewer_model import ViewerModel
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QLabel

from napari_patchmap.plugin.napari_private import canvas_widget
from napari_patchmap.plugin.qt.theme import theme_colour

#: Distance of our own note from the edge of the canvas, in pixels.
_MARGIN = 10


class CanvasNote(QObject):
    """A few words at the top of the canvas, below everything that the mouse does."""

    def __init__(self, viewer: ViewerModel) -> None:
        canvas = canvas_widget(viewer)
        super().__init__(canvas)
        self._viewer = weakref.ref(viewer)
        self.label = QLabel(canvas)
        self.label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.label.hide()
        canvas.installEventFilter(self)

    def say(self, text: str) -> None:
        """Show some words, "" for none."""
        viewer = self._viewer()
        if not isalive(self.label):
            return  # the window is closing, and napari takes the layers away after it
        self.label.setText(text)
        self.label.setVisible(bool(text))
        if text and viewer is not None:
            paper, ink = theme_colour(viewer, "background"), theme_colour(viewer, "text")
            self.label.setStyleSheet(
                f"background-color: {paper.name()}; color: {ink.name()}; "
                "padding: 4px 10px; border-radius: 4px;"
            )
            self._place()

    def _place(self) -> None:
        canvas = self.label.parentWidget()
        self.label.adjustSize()
        self.label.move((canvas.width() - self.label.width()) // 2, _MARGIN)
        self.label.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the size of the canvas."""
        if event.type() == QEvent.Type.Resize and self.label.isVisible():
            self._place()
        return False
