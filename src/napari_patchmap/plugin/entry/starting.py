"""Starting Patchmap: says so at once, and opens the workspace when it can be opened.

What the panels need takes seconds to import. That happens in another thread, while a
small dock says what is going on; nothing here, or imported here, is slow.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from importlib import import_module
from typing import Any

import napari.viewer
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QDockWidget, QLabel, QProgressBar, QVBoxLayout, QWidget

from napari_patchmap.plugin.of_viewer import real_viewer
from napari_patchmap.plugin.worker import Task

#: Has been imported once Patchmap was started.
_OPENER = "napari_patchmap.plugin.entry.open_all"

#: Long enough that the window is drawn before the import begins, in milliseconds.
_DRAWN = 80

#: Width of the dock that says that Patchmap is starting, in pixels.
_WIDTH = 300

Then = Callable[[napari.viewer.Viewer], Any]


class OpenWorkspace(QWidget):
    """The menu's entry: says that Patchmap is starting, opens the workspace, and leaves.

    napari makes a dock for whatever a plugin offers in its menu; this one only
    stays until the panels are open, so that the entry works again and again.
    """

    def __init__(self, viewer: napari.viewer.Viewer, then: Then | None = None) -> None:
        super().__init__()
        # The viewer itself, which napari may have wrapped.
        self._viewer = weakref.ref(real_viewer(viewer))
        self._then = then
        self.text = QLabel("Patchmap is starting…")
        self.text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        bar = QProgressBar()
        bar.setRange(0, 0)
        bar.setTextVisible(False)
        bar.setFixedHeight(6)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(24, 24, 24, 24)
        rows.addStretch(2)
        rows.addWidget(self.text)
        rows.addWidget(bar)
        rows.addStretch(3)
        if _ready():
            self.setMaximumSize(0, 0)
            QTimer.singleShot(0, self._open)
            return
        self.setMinimumWidth(_WIDTH)
        self._task = Task(_import_panels, "Starting Patchmap")
        self._task.done.connect(self._open)
        self._task.failed.connect(self.text.setText)
        QTimer.singleShot(_DRAWN, self._task.start)

    def _open(self, _: object = None) -> None:
        viewer, dock = self._viewer(), self.parent()
        if viewer is None:
            return
        while dock is not None and not isinstance(dock, QDockWidget):
            dock = dock.parent()
        if dock is not None:
            viewer.window.remove_dock_widget(dock)
        _open(viewer, self._then)
        self.deleteLater()


def open_soon(viewer: napari.viewer.Viewer, then: Then | None = None) -> None:
    """Open the workspace as soon as what it needs is imported; say so meanwhile."""
    if _ready():
        viewer_ref = weakref.ref(real_viewer(viewer))
        QTimer.singleShot(0, lambda: _open(viewer_ref(), then))
    else:
        starting = OpenWorkspace(viewer, then)
        viewer.window.add_dock_widget(starting, name="Patchmap", area="right")


def _open(viewer: napari.viewer.Viewer | None, then: Then | None) -> None:
    if viewer is not None:
        import_module(_OPENER).open_workspace(viewer)
        if then is not None:
            then(viewer)


def _ready() -> bool:
    """Whether what the panels need has been imported before."""
    return _OPENER in sys.modules


def _import_panels(task: Task) -> None:
    import_module(_OPENER)
    for panel in import_module("napari_patchmap.plugin.qt.docks").PANELS.values():
        if task.should_stop():
            return
        panel.load()
