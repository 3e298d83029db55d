"""A window on a run is left, and comes back as it was by each way of opening."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent, QMouseEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_patchmap.patches import open_patches
from napari_patchmap.plugin.canvas.arrangement import camera_of
from napari_patchmap.plugin.entry.launch import show_run
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.load.recent import RecentButton
from napari_patchmap.plugin.qt.dock_sizes import dock_places, dock_sizes
from napari_patchmap.plugin.qt.docks import (
    dock_of,
    find_panel,
    front_panels,
    open_docks,
    open_panels,
    show_panel,
)
from napari_patchmap.plugin.workspace import workspace_of
from napari_patchmap.runs import Run, RunConfig, TrainConfig, reopen_patches
from napari_patchmap.runs.session_file import SESSION
from napari_patchmap.training import fit
from tests.conftest import make_cells
from tests.plugin.toy import Hand, click_tab

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two runs of a stack that lies beside them."""
    home = tmp_path_factory.mktemp("made")
    cells = make_cells()
    np.savez(home / "cells.npz", images=cells.stack(), label=cells.table["label"].to_numpy(str))
    patches = open_patches(home / "cells.npz")
    run = fit(patches, RunConfig(TrainConfig(device="cpu", method="pixels")))
    run.save(home / "run")
    replace(run, embedding=run.embedding[:, ::-1].copy(), folder=None).save(home / "other")
    return home


@pytest.fixture
def home(made, tmp_path):
    """Copies of them, so that their place is another one than where they were made."""
    return shutil.copytree(made, tmp_path / "home")


def opened(viewer, folder):
    """Open a run as the command line does."""
    run = Run.load(folder)
    show_run(run, reopen_patches(run), block=False, viewer=viewer)
    QApplication.processEvents()
    return workspace_of(viewer), MapLayer.of(viewer)


def choose(qtbot, box, text):
    """Choose an entry of a list by keys."""
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Home)
    for _ in range(box.findText(text)):
        qtbot.keyClick(box, Qt.Key.Key_Down)


def test_a_map_stays_the_way_up_that_it_had_while_it_formed(make_napari_viewer, home):
    viewer = make_napari_viewer(show=True)
    _, owner = opened(viewer, home / "run")
    plain = owner.points.data.copy()
    owner.turn_by(np.array([[0.6, 0.8], [-0.8, 0.6]]))
    turned = owner.points.data.copy()
    assert np.abs(turned - plain).max() > 1
    assert np.allclose(turned.mean(axis=0), plain.mean(axis=0), atol=1e-3)
    camera_of(viewer).zoom *= 2
    viewer.close()
    viewer = make_napari_viewer(show=True)
    _, owner = opened(viewer, home / "run")
    assert np.allclose(owner.points.data, turned, atol=1e-4)


def test_a_turn_that_is_none_is_left_out(make_napari_viewer, home):
    viewer = make_napari_viewer(show=True)
    _, owner = opened(viewer, home / "run")
    plain = owner.points.data.copy()
    camera_of(viewer).zoom *= 2
    viewer.close()
    saved = json.loads((home / "run" / SESSION).read_text("utf-8"))
    (home / "run" / SESSION).write_text(json.dumps({**saved, "turn": [[2, 0], [0, "x"]]}))
    viewer = make_napari_viewer(show=True)
    _, owner = opened(viewer, home / "run")
    assert np.array_equal(owner.points.data, plain)


def drag_line(viewer, key, way):
    """Drag the line between the canvas and the dock of a panel."""
    dock = dock_of(find_panel(viewer, key))
    window, place = dock.window(), dock.geometry()
    before = place.topLeft()
    press = QPoint(place.left() - 2, place.center().y())
    if way.y():
        press = QPoint(place.center().x(), place.top() - 2)
    QTest.mousePress(window, LEFT, Qt.KeyboardModifier(0), press)
    for part in (2, 1):
        there = QPointF(press + way / part)
        above = QPointF(window.mapToGlobal(there.toPoint()))
        move = QMouseEvent(
            QEvent.Type.MouseMove, there, above, LEFT, LEFT, Qt.KeyboardModifier(0)
        )
        QApplication.sendEvent(window, move)
        QTest.qWait(10)  # Qt moves the line in a timer
    QTest.mouseRelease(window, LEFT, Qt.KeyboardModifier(0), press + way)
    QApplication.processEvents()
    assert dock.geometry().topLeft() == before + way


def wheel(view, notches):
    """Turn the wheel over pictures with Ctrl held."""
    middle = QPointF(view.viewport().rect().center())
    event = QWheelEvent(
        middle, QPointF(view.viewport().mapToGlobal(middle.toPoint())), QPoint(),
        QPoint(0, 120 * notches), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.ControlModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view.viewport(), event)


def work_in(viewer, qtbot, home):
    """Change all that a session is made of, as a person does."""
    workspace, owner = opened(viewer, home / "run")
    explore, gallery = find_panel(viewer, "explore"), find_panel(viewer, "gallery")
    annotate, compare = find_panel(viewer, "annotate"), find_panel(viewer, "compare")
    click_tab(viewer, "Compare")
    compare.add_run(home / "other")
    qtbot.waitUntil(lambda: len(workspace.compared) == 1)
    hand = Hand(viewer, qtbot)
    hand.click(owner.points.data[7])
    click_tab(viewer, "Annotate")
    QTest.keyClicks(annotate.name, "odd")
    QTest.keyClick(annotate.name, Qt.Key.Key_Return)
    click_tab(viewer, "Explore")
    choose(qtbot, explore.column_box, "label")
    rows = [explore.legend.topLevelItem(at).text(0) for at in range(3)]
    item = explore.legend.topLevelItem(rows.index("ring"))
    place = explore.legend.visualItemRect(item)
    tick = QPoint(explore.legend.tick_width // 2, place.center().y())
    QTest.mouseClick(explore.legend.viewport(), LEFT, Qt.KeyboardModifier(0), tick)
    choose(qtbot, gallery.orders.box, "label")
    QTest.mouseClick(gallery.orders.turn, LEFT)
    owner.points.current_size = 23
    drag_line(viewer, "explore", QPoint(-45, 0))  # the panels get broader
    drag_line(viewer, "gallery", QPoint(0, -30))
    gallery.grid.setFocus()
    wheel(gallery.grid, notches=3)
    camera_of(viewer).zoom *= 1.7
    camera_of(viewer).center = (0.0, 3.0, -2.0)
    click_tab(viewer, "Annotate")


def seen(viewer):
    """Return what a person sees in the window on a run."""
    workspace, owner = workspace_of(viewer), MapLayer.of(viewer)
    camera, orders = camera_of(viewer), find_panel(viewer, "gallery").orders
    return {
        "classes": [one.name for one in workspace.annotations.now.classes],
        "annotated": workspace.annotations.now.members(0).tolist(),
        "colour": owner.colouring.column,
        "shown": owner.points.shown.tolist(),
        "ticks": find_panel(viewer, "explore").legend.topLevelItem(0).checkState(0),
        "size": owner.points.current_size,
        "selection": workspace.selection.tolist(),
        "current": workspace.current,
        "compared": [one.saved.folder.name for one in workspace.compared],
        "sorted": (*orders.choice, orders.turn.text(), orders.order is None),
        "view": owner.views.now,
        "camera": (np.round(camera.center, 3).tolist(), round(camera.zoom, 3)),
        "open": set(open_panels(viewer)),
        "front": front_panels(viewer),
        "sizes": dock_sizes(viewer),
        "pictures": find_panel(viewer, "gallery").grid.painter.side,
    }


def by_command(viewer, qtbot, home):
    opened(viewer, home / "run")


def by_drop(viewer, qtbot, home):
    """Drop the run's config.json onto the canvas."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(home / "run" / "config.json"))])
    event = QDropEvent(
        QPointF(50, 50), Qt.DropAction.CopyAction, mime, LEFT, Qt.KeyboardModifier(0)
    )
    viewer.window._qt_viewer.dropEvent(event)


def by_recent(viewer, qtbot, home):
    """Choose it in the menu of what was open last."""
    from napari_patchmap.plugin.entry.open_all import open_workspace

    open_workspace(viewer)
    menu = find_panel(viewer, "load").findChild(RecentButton).menu_of_sources
    qtbot.waitUntil(lambda: len(menu.actions()) == 1)
    assert menu.actions()[0].text().startswith("Map of cells.npz, ")
    menu.actions()[0].trigger()


def test_a_run_comes_back_as_it_was_left(make_napari_viewer, qtbot, home):
    first = make_napari_viewer(show=True)
    work_in(first, qtbot, home)
    left = seen(first)
    assert left["shown"].count(False) == 20
    assert left["compared"] == ["other"]
    assert left["colour"] == "label"
    assert left["pictures"] > 56
    first.close()
    for way in (by_command, by_drop, by_recent):
        qtbot.wait(10)
        again = make_napari_viewer(show=True)
        way(again, qtbot, home)
        workspace = workspace_of(again)
        qtbot.waitUntil(lambda workspace=workspace: len(workspace.compared) == 1)
        QApplication.processEvents()
        assert seen(again) == left, way
        again.close()


def test_a_panel_in_a_window_of_its_own_has_it_again(make_napari_viewer, qtbot, home):
    first = make_napari_viewer(show=True)
    opened(first, home / "run")
    dock = dock_of(show_panel(first, "quality"))
    dock.setFloating(True)
    dock.resize(420, 380)
    dock.move(90, 70)
    qtbot.wait(20)
    places = dock_places(first)
    assert list(places) == ["quality"]
    first.close()
    again = make_napari_viewer(show=True)
    opened(again, home / "run")
    qtbot.waitUntil(lambda: dock_places(again) == places)
    assert open_docks(again)["gallery"].isVisible()
    assert not open_docks(again)["gallery"].isFloating()


def test_what_does_not_fit_any_more_is_left_out_and_the_map_is_open(viewer, qtbot, home):
    said = []
    workspace_of(viewer).status_changed.connect(said.append)
    values = {
        "version": 1,
        "colour_by": "a column that is gone",
        "hidden": ["nobody"],
        "selection": "0-999",
        "current": 7,
        "compared": [{"path": str(home / "gone"), "from_here": "../gone"}],
        "sorted_by": ["offered", "Confidence", True],
        "panels": ["explore", "a panel that is gone"],
        "front": ["explore"],
        "view": "source",
        "cameras": {"map": {"centre": "nowhere"}},
    }
    (home / "run" / SESSION).write_text(json.dumps(values))
    workspace, owner = opened(viewer, home / "run")
    qtbot.waitUntil(lambda: len(said) > 0)
    assert len(said) == 1
    assert str(home / "gone") in said[0]
    assert (owner.colouring.column, workspace.current) == ("label", 7)
    assert owner.points.shown.all()
    assert not len(workspace.selection)
    assert owner.views.now == "map"
    owner.colour_by("")  # what is written next still knows of the map that was not there
    qtbot.waitUntil(lambda: json.loads((home / "run" / SESSION).read_text())["colour_by"] == "")
    kept = json.loads((home / "run" / SESSION).read_text())["compared"]
    assert [one["path"] for one in kept] == [str(home / "gone")]


def test_a_damaged_session_is_said_and_left_alone(viewer, qtbot, home):
    said = []
    workspace_of(viewer).status_changed.connect(said.append)
    (home / "run" / SESSION).write_text("nonsense")
    workspace, owner = opened(viewer, home / "run")
    assert len(said) == 1
    assert SESSION in said[0]
    owner.colour_by("")
    workspace.set_patches(None)
    assert (home / "run" / SESSION).read_text() == "nonsense"


def test_the_images_are_looked_at_again_where_they_were(viewer, qtbot, home):
    path = home / "run" / SESSION
    viewer.add_image(np.random.default_rng(0).integers(0, 255, (90, 120), np.uint8))
    cameras = {
        "source": {"centre": [0, 30, 40], "zoom": 9.5, "angles": [0, 0, 90]},
        "map": {"centre": [0, 1, 2], "zoom": 3.25, "angles": [0, 0, 90]},
    }
    path.write_text(json.dumps({"version": 1, "view": "source", "cameras": cameras}))
    _, owner = opened(viewer, home / "run")
    qtbot.waitUntil(lambda: owner.views.now == "source")
    camera = camera_of(viewer)
    assert (tuple(camera.center), camera.zoom) == ((0, 30, 40), 9.5)
    camera.zoom = 4.5
    qtbot.waitUntil(lambda: json.loads(path.read_text())["cameras"]["source"]["zoom"] == 4.5)
    assert json.loads(path.read_text())["view"] == "source"
    owner.show_map()
    assert (tuple(camera.center), camera.zoom) == ((0, 1, 2), 3.25)
