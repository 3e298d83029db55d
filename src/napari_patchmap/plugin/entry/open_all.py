"""Plugins > Patchmap > Workspace: every panel in its place."""

from __future__ import annotations

import napari.viewer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMainWindow, QTabBar, QTabWidget

from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.of_viewer import real_viewer
from napari_patchmap.plugin.qt.docks import (
    PANELS,
    find_panel,
    open_panel,
    show_panel,
    way_to,
)
from napari_patchmap.plugin.qt.panel import PANEL_WIDTH

#: Share of the window's height that the gallery takes at first.
_GALLERY_SHARE = 0.24

#: Width of the upright tabs beside the panels, in pixels.
_TABS_WIDTH = 32

#: Panels that are made before they are seen: the plan of a training is there when it is.
_WORK_UNSEEN = ("train",)

#: Tabs that are no wider than their names ask for.
_TABS = "QTabBar::tab { padding: 4px 7px; margin: 0px 1px 0px 0px; min-width: 0px; }"


def open_workspace(viewer: napari.viewer.Viewer) -> None:
    """Open the panels, or bring those that are open to the front."""
    viewer = real_viewer(viewer)
    MapLayer.of(viewer)
    docks = {key: open_panel(viewer, key) for key, panel in PANELS.items() if panel.at_first}
    for dock in docks.values():
        dock.show()
        dock.raise_()  # Qt makes the tab by then
    for key in _WORK_UNSEEN:
        find_panel(viewer, key)
    show_panel(viewer, "gallery")
    window = docks["load"].parent()
    if isinstance(window, QMainWindow):
        # The panels keep the window's full height; the gallery lies under the canvas.
        window.setTabPosition(
            Qt.DockWidgetArea.RightDockWidgetArea, QTabWidget.TabPosition.East
        )
        window.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        width = PANEL_WIDTH + _TABS_WIDTH
        window.resizeDocks([docks["load"]], [width], Qt.Orientation.Horizontal)
        height = round(window.height() * _GALLERY_SHARE)
        window.resizeDocks([docks["gallery"]], [height], Qt.Orientation.Vertical)
        for bar in window.findChildren(QTabBar):
            # Qt paints the line under the tabs in a colour that no theme knows.
            bar.setDrawBase(False)
            if any(bar.tabText(i) == PANELS["load"].tab for i in range(bar.count())):
                # All names are to be read; on a low screen arrows lead to the last.
                bar.setElideMode(Qt.TextElideMode.ElideNone)
                bar.setUsesScrollButtons(True)
                bar.setStyleSheet(_TABS)
                ways = {panel.tab: way_to(key) for key, panel in PANELS.items()}
                for i in range(bar.count()):
                    bar.setTabToolTip(i, ways.get(bar.tabText(i), bar.tabText(i)))
    show_panel(viewer, "load")
