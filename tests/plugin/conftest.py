"""A viewer on screen, a small patch set with a map, and a hand on the mouse."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from napari_patchmap.plugin.napari_private import canvas_widget
from napari_patchmap.plugin.panels.explore.gallery import Gallery
from napari_patchmap.plugin.panels.load.load_patches import LoadPatches
from napari_patchmap.plugin.panels.train.train_map import TrainMap
from napari_patchmap.plugin.worker import Task
from napari_patchmap.plugin.workspace import workspace_of
from tests.plugin.display import close_display, open_display
from tests.plugin.one_window import WindowOfFile
from tests.plugin.spared import spare
from tests.plugin.toy import Hand, on_map, toy_map, toy_patches

#: How long a slow or busy computer may take to do what a test waits for, in milliseconds.
_PATIENCE = 180_000


@pytest.fixture(scope="session", autouse=True)
def _display():
    """Have a display before the first window; tests of the other rooms need none."""
    open_display()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take the display down once nothing of Qt runs any more."""
    close_display()


@pytest.fixture
def qtbot(qtbot, monkeypatch):
    """Qt's test robot, as patient as a slow computer needs it: a wait ends once it is so."""
    for name in ("waitUntil", "waitSignal", "waitSignals", "waitExposed", "waitActive"):
        wait = getattr(qtbot, name)
        monkeypatch.setattr(qtbot, name, partial(_patiently, wait))
    return qtbot


def _patiently(wait: Callable[..., Any], *args: Any, **named: Any) -> Any:
    if named.get("raising", True):  # else it is waited for what must not come
        named["timeout"] = max(_PATIENCE, named.get("timeout", 0) or 0)
    return wait(*args, **named)


@pytest.fixture(scope="session", autouse=True)
def _windows_open_fast():
    """Let no window do again what the one before it did."""
    with pytest.MonkeyPatch.context() as patch:
        spare(patch)
        yield


@pytest.fixture(scope="module")
def window_of_the_file():
    """A viewer on screen for all tests of a file that says ``ONE_WINDOW = True``.

    For what is done with patches on a map, and leaves nothing behind that other patches do
    not take away.
    """
    window = WindowOfFile()
    yield window
    window.close()


@pytest.fixture
def _window_of_the_file_closed(request):
    """Close the window that tests share before one opens others, which napari counts."""
    if getattr(request.module, "ONE_WINDOW", False):
        request.getfixturevalue("window_of_the_file").close()


@pytest.fixture
def make_napari_viewer(_window_of_the_file_closed, make_napari_viewer):
    """Open windows for one test alone, which may close them."""
    return make_napari_viewer


@pytest.fixture
def bare_viewer(request):
    """A viewer on screen, of the size that napari gives it."""
    shared = getattr(request.module, "ONE_WINDOW", False)
    if not shared or "make_napari_viewer" in request.fixturenames:
        return request.getfixturevalue("make_napari_viewer")(show=True)
    return request.getfixturevalue("window_of_the_file").emptied()


@pytest.fixture
def viewer(bare_viewer):
    """A viewer on screen, large enough to aim in."""
    bare_viewer.window.resize(1000, 700)
    QApplication.processEvents()
    return bare_viewer


@pytest.fixture
def laptop(bare_viewer, qtbot):
    """A viewer that fills the screen of a 13-inch laptop."""
    bare_viewer.window.resize(1366, 768)
    qtbot.wait(50)
    return bare_viewer


@pytest.fixture
def in_front(viewer, qtbot):
    """See that the viewer's window has the keyboard."""
    window = canvas_widget(viewer).window()
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)


@pytest.fixture
def workspace(viewer):
    """The shared state of the viewer."""
    return workspace_of(viewer)


@pytest.fixture
def shown_map(viewer):
    """The toy patches and their map, on screen."""
    return on_map(viewer, toy_patches(), toy_map())


@pytest.fixture
def gallery(viewer, shown_map):
    """The gallery, docked as people have it."""
    gallery = Gallery(viewer)
    viewer.window.add_dock_widget(gallery, name="Patches", area="bottom")
    QApplication.processEvents()
    return gallery


@pytest.fixture
def hand(viewer, qtbot):
    """A hand on the mouse."""
    return Hand(viewer, qtbot)


@pytest.fixture
def tasks(monkeypatch):
    """All tasks that a test starts."""
    started, start = [], Task.start

    def noting(task: Task) -> Task:
        started.append(task)
        return start(task)

    monkeypatch.setattr(Task, "start", noting)
    return started


@pytest.fixture
def train_panel(bare_viewer, qtbot, tasks):
    """The Train panel of a viewer; what it started is stopped in the end."""
    widget = TrainMap(bare_viewer)
    bare_viewer.window.add_dock_widget(widget, name="Train")
    yield widget
    for task in tasks:
        task.leave()
    workspace = widget.workspace
    qtbot.waitUntil(lambda: not (workspace.training or any(task.running for task in tasks)))


@pytest.fixture
def load_panel(bare_viewer, qtbot):
    """The Load panel of a viewer."""
    widget = LoadPatches(bare_viewer)
    bare_viewer.window.add_dock_widget(widget, name="Load")
    widget.show()
    QApplication.processEvents()  # it has its place
    return widget


@pytest.fixture(autouse=True)
def _hands_off(qapp):
    """Let go of Shift and other keys after each test: Qt remembers what the last event said."""
    yield
    QTest.keyRelease(QWidget(), Qt.Key.Key_Shift, Qt.KeyboardModifier.NoModifier)
    assert QApplication.keyboardModifiers() == Qt.KeyboardModifier.NoModifier
