"""napari's notes, shown whole."""

from __future__ import annotations

import weakref
from collections.abc import Callable

from napari.utils.notifications import show_info
from napari.viewer import Viewer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QDialog

from napari_patchmap.plugin.napari_private import canvas_widget

#: When a note of napari's has slid in, in milliseconds.
_SLID_IN = 300


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
