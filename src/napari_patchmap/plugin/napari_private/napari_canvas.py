"""What napari shows a viewer with, in its window or on a canvas of our own beside that."""

from __future__ import annotations

import weakref
from typing import Any

from napari.components.viewer_model import ViewerModel
from napari.qt import QtViewer
from napari.viewer import Viewer
from qtpy.compat import isalive
from qtpy.QtCore import QPoint
from qtpy.QtWidgets import QWidget


def canvas_widget(viewer: ViewerModel) -> QWidget:
    """Return the Qt widget of the canvas: we paint above it and follow its size."""
    second = _second_canvases.get(id(viewer))
    shown_by: Any = viewer.window._qt_viewer if second is None else second()
    return shown_by.canvas.native


def free_where_it_was_drawn(viewer: ViewerModel) -> None:
    """Let napari free what a removed layer took of the graphics card in its canvas alone.

    napari 0.9 does so at once, in whichever context of Qt's is current. Where that is another,
    Mesa forgets which shaders the canvas draws with, and the next picture ends the process.
    """
    second = _second_canvases.get(id(viewer))
    shown_by: Any = viewer.window._qt_viewer if second is None else second()
    scene = shown_by.canvas._scene_canvas
    widget, finish = shown_by.canvas.native, scene.context.finish

    def finish_there() -> None:
        if isalive(widget) and widget.isValid():
            widget.makeCurrent()
        finish()

    scene.context.finish = finish_there


class SecondCanvas(QtViewer):
    """A canvas beside that of a window, for a model of its own.

    Files that are dropped on it are opened in the window.
    """

    def __init__(self, model: ViewerModel, main: Viewer) -> None:
        super().__init__(model)
        self._main = weakref.ref(main)
        key = id(model)
        _second_canvases[key] = weakref.ref(self)
        weakref.finalize(model, _second_canvases.pop, key, None)
        free_where_it_was_drawn(model)

    def _qt_open(self, *args: Any, **settings: Any) -> None:
        main = self._main()
        if main is not None:
            main.window._qt_viewer._qt_open(*args, **settings)

    def close(self) -> bool:
        """Let go of what is drawn, and of the threads that read it."""
        self.viewer._layer_slicer.shutdown()
        return bool(super().close())


_second_canvases: dict[int, weakref.ref[SecondCanvas]] = {}


def welcome_text_top(viewer: Viewer) -> int | None:
    """Return how far down the canvas napari's words of welcome begin, None without any."""
    try:
        welcome = viewer.window._qt_viewer._welcome_widget
        first = welcome._version_label.mapTo(welcome, QPoint()).y()
        return int(first) if welcome.isVisible() else None
    except AttributeError:
        return None
