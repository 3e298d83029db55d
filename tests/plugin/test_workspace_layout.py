"""The whole workspace: where the panels are, that they fit, and how they look."""

from __future__ import annotations

import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QPushButton, QScrollArea, QTabBar

from napari_patchmap.plugin.entry.open_all import open_workspace
from napari_patchmap.plugin.qt.docks import PANELS, dock_of, find_panel, open_docks, show_panel
from napari_patchmap.plugin.qt.panel import WorkPanel
from napari_patchmap.plugin.workspace import workspace_of
from tests.conftest import make_cells
from tests.plugin.toy import all_panels

ONE_WINDOW = True

OURS = ("load", "augment", "train", "quality")


@pytest.fixture
def viewer(laptop):
    return laptop


def tabs(viewer):
    """The tab texts of the docks on the right, in order."""
    window = dock_of(find_panel(viewer, "load")).parent()
    bars = [bar for bar in window.findChildren(QTabBar) if bar.isVisible()]
    listed = [[bar.tabText(i) for i in range(bar.count())] for bar in bars]
    return next(names for names in listed if PANELS["load"].tab in names)


def test_the_tabs_are_the_order_of_work_however_often_they_are_opened(viewer, qtbot):
    open_workspace(viewer)
    first = open_docks(viewer)
    qtbot.wait(50)
    order = [panel.tab for panel in PANELS.values() if panel.area == "right"]
    assert tabs(viewer) == order
    show_panel(viewer, "quality")
    open_workspace(viewer)
    assert open_docks(viewer) == first
    assert tabs(viewer) == order
    assert len(viewer.window.dock_widgets) == sum(p.at_first for p in PANELS.values())


def test_panels_opened_alone_are_taken_in_the_order_of_work(viewer):
    alone = [show_panel(viewer, key) for key in ("train", "quality")]
    open_workspace(viewer)
    assert [find_panel(viewer, key) for key in ("train", "quality")] == alone
    assert tabs(viewer) == [p.tab for p in PANELS.values() if p.area == "right"]
    assert not find_panel(viewer, "load").visibleRegion().isEmpty()


@pytest.mark.parametrize("size", [(1366, 768), (1600, 1000)])
def test_everything_fits_without_scrolling_sideways(viewer, qtbot, size):
    viewer.window.resize(*size)
    qtbot.wait(50)
    open_workspace(viewer)
    before = open_docks(viewer)["load"].parent().size()
    workspace_of(viewer).set_patches(make_cells())
    for key in OURS:
        panel = show_panel(viewer, key)
        qtbot.wait(30)
        scroll = panel.findChild(QScrollArea)
        assert scroll.widget().width() <= scroll.viewport().width(), key
        assert dock_of(panel).width() < 0.35 * before.width()
    assert open_docks(viewer)["load"].parent().size() == before
    assert viewer.window._qt_viewer.canvas.native.width() > 0.4 * before.width()


def test_one_primary_button_a_tab_always_in_view(viewer, qtbot):
    open_workspace(viewer)
    workspace_of(viewer).set_patches(make_cells())
    for key in ("load", "augment", "train"):
        panel = show_panel(viewer, key)
        qtbot.wait(30)
        buttons = panel.findChildren(QPushButton)
        primary = [b for b in buttons if b.property("role") == "primary" and b.isVisible()]
        assert len(primary) == 1
        assert not primary[0].visibleRegion().isEmpty()


def test_the_way_to_what_is_missing(viewer, qtbot):
    open_workspace(viewer)
    load, train = find_panel(viewer, "load"), show_panel(viewer, "train")
    qtbot.wait(30)
    button = train._missing.button
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.wait(30)
    assert not load.visibleRegion().isEmpty()
    assert train.visibleRegion().isEmpty()


def test_panels_follow_the_theme(viewer):
    widgets = all_panels(viewer)

    def text_lightness(widget):
        return widget.findChild(QLabel).palette().windowText().color().lightness()

    assert text_lightness(widgets["load"]) > 128
    viewer.theme = "light"
    for widget in widgets.values():
        if isinstance(widget, WorkPanel):
            assert text_lightness(widget) < 128


def test_a_closed_panel_listens_no_more(viewer, qtbot, cells):
    widgets = all_panels(viewer)
    workspace = workspace_of(viewer)
    for key in OURS:
        viewer.window.remove_dock_widget(dock_of(widgets[key]))
    qtbot.wait(50)
    workspace.set_patches(cells)
    open_workspace(viewer)
    again = find_panel(viewer, "load")
    assert again is not widgets["load"]
    assert again.summary.isVisible()


def test_what_the_workspace_says_is_shown(viewer):
    workspace_of(viewer).say("Saved 12 patches to cells.csv.")
    assert notification_manager.records[-1].message == "Saved 12 patches to cells.csv."
