"""How large the docks of panels are, and where those lie that float: noted, and given again."""

from __future__ import annotations

from collections.abc import Mapping

from napari.viewer import Viewer
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QDockWidget, QMainWindow, QTabBar

from napari_patchmap.plugin.napari_private import canvas_widget
from napari_patchmap.plugin.qt.docks import open_docks

_SIDES = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
_ACROSS, _UPRIGHT = Qt.Orientation.Horizontal, Qt.Orientation.Vertical


def dock_sizes(viewer: Viewer) -> dict[str, int]:
    """Return the width of panels at a side, the height of others, in pixels by their key.

    Those that are behind another one, put away or float are left out.
    """
    sizes = {}
    for key, dock in open_docks(viewer).items():
        if not dock.isFloating() and not dock.visibleRegion().isEmpty():
            sizes[key] = dock.width() if _direction(dock) == _ACROSS else dock.height()
    return sizes


def dock_places(viewer: Viewer) -> dict[str, tuple[int, int, int, int]]:
    """Return left, top, width and height on the screen of panels that float, by their key."""
    return {
        key: (dock.x(), dock.y(), dock.width(), dock.height())
        for key, dock in open_docks(viewer).items()
        if dock.isFloating() and not dock.isHidden()
    }


def float_docks(viewer: Viewer, places: Mapping[str, tuple[int, int, int, int]]) -> None:
    """Let panels float at these places, and dock the others; all of them on a screen."""
    for key, dock in open_docks(viewer).items():
        if dock.isFloating() != (key in places):
            dock.setFloating(key in places)
        if key in places:
            left, top, width, height = places[key]
            screen = QGuiApplication.screenAt(QPoint(left + width // 2, top)) or dock.screen()
            room = screen.availableGeometry()
            dock.resize(min(width, room.width()), min(height, room.height()))
            dock.move(
                max(room.left(), min(left, room.right() - dock.width())),
                max(room.top(), min(top, room.bottom() - dock.height())),
            )


def window_size(viewer: Viewer) -> tuple[int, int]:
    """Return width and height of the window in pixels."""
    window = canvas_widget(viewer).window()
    return window.width(), window.height()


def resize_docks(
    viewer: Viewer, sizes: Mapping[str, int], window: tuple[int, int] | None
) -> None:
    """Give panels these sizes; in a smaller window than they are of, less."""
    width, height = window_size(viewer)
    before = window or (width, height)
    shrink = {_ACROSS: min(1.0, width / before[0]), _UPRIGHT: min(1.0, height / before[1])}
    docks = open_docks(viewer)
    for direction in (_ACROSS, _UPRIGHT):
        ours = [
            docks[key] for key in sizes
            if key in docks and not docks[key].isFloating() and not docks[key].isHidden()
            and _direction(docks[key]) == direction
        ]  # fmt: skip
        pixels = [
            round(size * shrink[direction]) + _tabs(docks[key], direction)
            for key, size in sizes.items() if docks.get(key) in ours
        ]  # fmt: skip
        main = ours[0].parent() if ours else None
        if isinstance(main, QMainWindow):
            main.resizeDocks(ours, pixels, direction)


def _tabs(dock: QDockWidget, direction: Qt.Orientation) -> int:
    """Return what the tabs beside a dock take, which Qt counts as part of it."""
    main = dock.parent()
    if not isinstance(main, QMainWindow) or not main.tabifiedDockWidgets(dock):
        return 0
    for bar in main.findChildren(QTabBar):
        if any(bar.tabText(at) == dock.windowTitle() for at in range(bar.count())):
            upright = bar.shape() in (QTabBar.Shape.RoundedEast, QTabBar.Shape.RoundedWest)
            if upright == (direction == _ACROSS):
                return int(bar.width() if upright else bar.height())
    return 0


def _direction(dock: QDockWidget) -> Qt.Orientation:
    """Return the direction in which the line between a dock and the canvas is dragged."""
    main = dock.parent()
    at_side = isinstance(main, QMainWindow) and main.dockWidgetArea(dock) in _SIDES
    return _ACROSS if at_side else _UPRIGHT
