"""One window for all tests of a file, emptied between them as people empty it."""

from __future__ import annotations

import contextlib
import gc
import weakref
from collections.abc import Iterator

import pytest
from app_model import Application
from napari._app_model._app import NapariApplication, _napari_names
from napari._qt._qapp_model.qactions import init_qactions
from napari._qt.qt_viewer import QtViewer
from napari._qt.threads.status_checker import StatusChecker
from napari.plugins import _initialize_plugins
from napari.settings import get_settings
from napari.viewer import Viewer
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication, QWidget

from napari_patchmap.augment import AugmentConfig
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.workspace import workspace_of

_NAME = "one_window"

#: Width and height of each window as it was opened.
_SIZES: weakref.WeakKeyDictionary[Viewer, tuple[int, int]] = weakref.WeakKeyDictionary()


@contextlib.contextmanager
def one_window() -> Iterator[Viewer]:
    """Open a window as napari's ``make_napari_viewer`` does, and close it in the end."""
    app = NapariApplication(_NAME)
    app.injection_store.namespace = _napari_names
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NapariApplication, "get_app_model", lambda *_: app)
        patch.setattr(StatusChecker, "start", lambda *_, **__: None)
        patch.setattr(QtViewer, "_get_console", lambda *_: _console())
        get_settings().reset()
        _initialize_plugins.cache_clear()
        init_qactions.cache_clear()
        viewer = Viewer(show=True, show_welcome_screen=False)
        QApplication.processEvents()
        _SIZES[viewer] = viewer.window.geometry()[2:]
        try:
            yield viewer
        finally:
            patch.setattr(viewer.window._qt_window, "_save_current_window_settings", list)
            viewer.close()
            del viewer
            gc.collect()
            QtViewer._instances.clear()
            with app.menus.menus_changed.blocked():  # else menus are made anew for each entry
                Application.destroy(_NAME)
            _initialize_plugins.cache_clear()
            init_qactions.cache_clear()


class WindowOfFile:
    """The window that tests of a file share, opened when one wants it."""

    def __init__(self) -> None:
        self._opened, self._viewer = contextlib.ExitStack(), None

    def emptied(self) -> Viewer:
        """Return it as if it had just been opened."""
        if self._viewer is None:
            self._viewer = self._opened.enter_context(one_window())
        empty(self._viewer)
        return self._viewer

    def close(self) -> None:
        """Close it; the next test opens another one."""
        self._viewer = None
        self._opened.close()


def empty(viewer: Viewer) -> None:
    """Close all panels, let go of patches and layers, and put all tools down."""
    window, workspace, shown = viewer.window, workspace_of(viewer), MapLayer.of(viewer)
    if window.dock_widgets:
        window.remove_dock_widget("all")
        gc.collect()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    workspace.set_training(False)
    if workspace.patches is not None:
        workspace.set_patches(None)
    workspace.set_augment(AugmentConfig())
    shown.follow_classes.on = True
    shown.image_colours.switch(False)
    if shown.close_up.from_afar:
        shown.close_up.set_from_afar(False)
    shown.hand.set_lasso(False)
    shown.hand.set_take_away(False)
    viewer.layers.clear()
    window.resize(*_SIZES[viewer])
    viewer.dims.ndisplay = 2
    viewer.reset_view()
    viewer.theme = "dark"
    get_settings().reset()


def _console() -> QWidget:
    widget = QWidget()
    widget._update_theme = lambda *_, **__: None
    return widget
