"""Sentences on the canvas: napari's notes, shown whole, and what the map is so far."""

from __future__ import annotations

import weakref
from collections.abc import Callable

from napari.utils.notifications import show_info
from napari.viewer import Viewer
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QDialog, QLabel

from napari_patchmap.plugin.canvas import canvas_widget
from napari_patchmap.plugin.theme import theme_colour

#: When a note of napari's has slid in, in milliseconds.
_SLID_IN = 300

#: Distance of our own note from the edge of the canvas, in pixels.
_MARGIN = 10


def teller(viewer: Viewer) -> Callable[[str], None]:
    """Return what shows a sentence as a note of napari's, which goes by itself.

    napari cuts a note to its first line, some 45 letters, until it is clicked; this one
    is unfolded when it does not fit.
    """
    viewer_ref = weakref.ref(viewer)

    def tell(sentence: str) -> None:
        show_info(sentence)
        QTimer.singleShot(_SLID_IN, lambda: _unfold(viewer_ref(), sentence))

    return tell


def _unfold(viewer: Viewer | None, sentence: str) -> None:
    try:
        canvas = None if viewer is None else canvas_widget(viewer)
        for note in [] if canvas is None else canvas.findChildren(QDialog):
            text = getattr(note, "message", None)
            if text is None or text.text() != sentence or note.property("expanded"):
                continue
            if text.fontMetrics().horizontalAdvance(sentence) > text.width():
                note.expand()
    except (AttributeError, RuntimeError):
        return  # the window has gone, or napari's notes are not as they are known


class CanvasNote(QObject):
    """A few words at the top of the canvas, below everything that the mouse does.

    Parameters
    ----------
    viewer : Viewer
    """

    def __init__(self, viewer: Viewer) -> None:
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
