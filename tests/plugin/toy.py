"""A toy patch set, its map, a hand on the mouse, and what people do in panels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QMouseEvent, QPainter
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QTabBar, QWidget

from napari_patchmap.patches.box_table import box_table
from napari_patchmap.patches.patchset import PatchSet
from napari_patchmap.plugin.canvas.overlay import CanvasOverlay
from napari_patchmap.plugin.canvas.two_views import camera_of
from napari_patchmap.plugin.entry.open_all import open_workspace
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.napari_private import canvas_widget
from napari_patchmap.plugin.qt.docks import find_panel, open_docks
from napari_patchmap.plugin.workspace import workspace_of

#: Patches of each label of the toy set, in the order of its rows.
GROUPS = {"round": 60, "spiky": 40, "empty": 20}

#: Where the three groups lie on the toy map, as (y, x).
CENTRES = {"round": (0.0, 0.0), "spiky": (0.0, 100.0), "empty": (60.0, 50.0)}


def toy_patches(labelled: bool = True) -> PatchSet:
    """Make 120 grey patches of 12 x 12 pixels, three labels and a number column."""
    rng = np.random.default_rng(1)
    n = sum(GROUPS.values())
    images = rng.integers(0, 255, (n, 12, 12, 1), np.uint8)
    table = box_table("toy.tif", np.arange(n), np.tile([12, 12], (n, 1)))
    if labelled:
        table["label"] = np.repeat(list(GROUPS), list(GROUPS.values()))
    table["area"] = np.linspace(10.0, 50.0, n)
    return PatchSet(images, table, ("grey",), name="toy")


def toy_map() -> np.ndarray:
    """Place the toy patches in three tidy grids that do not touch."""
    places = []
    for name, count in GROUPS.items():
        rows, columns = np.divmod(np.arange(count), 10)
        places.append(np.array(CENTRES[name]) + np.stack([rows * 4.0, columns * 4.0], 1))
    return np.concatenate(places).astype(np.float32)


def group(name: str) -> np.ndarray:
    """Return the indices of the toy patches of one label."""
    starts = np.concatenate([[0], np.cumsum(list(GROUPS.values()))])
    row = list(GROUPS).index(name)
    return np.arange(starts[row], starts[row + 1])


def around(name: str, margin: float = 2.0) -> list[tuple[float, float]]:
    """Return the corners of a lasso around one group of the toy map."""
    places = toy_map()[group(name)]
    (top, left), (bottom, right) = places.min(0) - margin, places.max(0) + margin
    return [(top, left), (top, right), (bottom, right), (bottom, left)]


class Hand:
    """Moves a real mouse over the canvas of a viewer, in map coordinates."""

    def __init__(self, viewer, qtbot) -> None:
        self.viewer, self.qtbot = viewer, qtbot
        self.canvas = canvas_widget(viewer)

    def pixel(self, place) -> QPoint:
        """Return where on the canvas a place (y, x) of the map is."""
        camera = camera_of(self.viewer)
        y, x = (np.asarray(place) - np.asarray(camera.center)[-2:]) * camera.zoom
        return QPoint(round(self.canvas.width() / 2 + x), round(self.canvas.height() / 2 + y))

    def click(self, place, modifier=Qt.KeyboardModifier.NoModifier) -> None:
        """Click a place on the map."""
        button, where = Qt.MouseButton.LeftButton, self.pixel(place)
        self.qtbot.mousePress(self.canvas, button, modifier, where)
        self.qtbot.mouseRelease(self.canvas, button, modifier, where)
        QApplication.processEvents()

    def hover(self, place) -> None:
        """Rest the mouse on a place."""
        self.qtbot.mouseMove(self.canvas, self.pixel(place))
        self.qtbot.wait(30)

    def drag(self, places, modifier=Qt.KeyboardModifier.NoModifier, look=None) -> None:
        """Press, draw through places and release; ``look`` is called before the release."""
        button = Qt.MouseButton.LeftButton
        pixels = [self.pixel(place) for place in places]
        QTest.mousePress(self.canvas, button, modifier, pixels[0])
        for start, end in itertools.pairwise(pixels):
            for part in (0.25, 0.5, 0.75, 1.0):
                self._move(start + (end - start) * part, modifier)
        self.qtbot.wait(20)  # napari looks at one movement in 5 ms
        if look is not None:
            look()
        QTest.mouseRelease(self.canvas, button, modifier, pixels[-1])
        QApplication.processEvents()

    def _move(self, where: QPoint, modifier) -> None:
        left = Qt.MouseButton.LeftButton
        above = QPointF(self.canvas.mapToGlobal(where))
        event = QMouseEvent(QEvent.Type.MouseMove, QPointF(where), above, left, left, modifier)
        QApplication.sendEvent(self.canvas, event)


def words_on_card(overlay: CanvasOverlay) -> list[str]:
    """Return the lines that are on the card under the mouse, none without a card."""
    written: list[str] = []

    class Noting(QPainter):
        def drawText(self, *args) -> None:
            written.append(args[-1])
            super().drawText(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("napari_patchmap.plugin.canvas.overlay.QPainter", Noting)
        overlay.grab()
    return written


def choose_source(qtbot, panel, kind):
    """Choose a kind of source in the Load panel by keys, as a person does."""
    box = panel.source.kind
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Home)
    for _ in range(box.findData(kind)):
        qtbot.keyClick(box, Qt.Key.Key_Down)
    assert box.currentData() == kind


def click(widget) -> None:
    """Click a button or another small widget in its middle."""
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def drop(widget, *paths) -> bool:
    """Drag files onto a widget and let go where it takes them; return whether it does."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    action, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    keys, place = Qt.KeyboardModifier.NoModifier, QPointF(20, 20)
    enter = QDragEnterEvent(place.toPoint(), action, data, button, keys)
    QApplication.sendEvent(widget, enter)
    if enter.isAccepted():
        QApplication.sendEvent(widget, QDropEvent(place, action, data, button, keys))
    return enter.isAccepted()


def type_into(qtbot, field, text):
    """Type into a field what it is to hold, and press Enter."""
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)


def enter(field, text) -> None:
    """Type into a field; what is long is pasted, as people do."""
    field.setFocus()
    if len(text) > 200:
        QApplication.clipboard().setText(text)
        QTest.keyClick(field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    else:
        QTest.keyClicks(field, text)


def all_panels(viewer) -> dict[str, QWidget]:
    """Open the workspace, and have all of its panels made, as if each had been looked at."""
    open_workspace(viewer)
    return {key: find_panel(viewer, key) for key in open_docks(viewer)}


def click_tab(viewer, tab) -> None:
    """Click the tab of a panel."""
    for bar in canvas_widget(viewer).window().findChildren(QTabBar):
        for at in range(bar.count()):
            if bar.tabText(at) == tab:
                place = bar.tabRect(at).center()
                QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=place)
    QApplication.processEvents()


def type_name(panel, name) -> None:
    """Type the name of a class into the Annotate panel, and press Enter."""
    panel.name.clear()
    enter(panel.name, name)
    QTest.keyClick(panel.name, Qt.Key.Key_Return)


def trained(qtbot, panel) -> None:
    """Wait until a panel's training is over."""
    qtbot.waitUntil(lambda: not panel.workspace.training, timeout=60_000)


def on_map(viewer, patches, places) -> MapLayer:
    """Show patches and a map of them, at these places."""
    owner, workspace = MapLayer.of(viewer), workspace_of(viewer)
    workspace.set_patches(patches)
    workspace.set_embedding(np.asarray(places, np.float32))
    QApplication.processEvents()
    return owner
