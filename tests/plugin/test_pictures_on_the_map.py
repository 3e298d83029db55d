"""Pictures that stand for points from afar: by the switch, the key, and the mouse on them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication

from napari_patchmap.patches.box_table import box_table
from napari_patchmap.patches.patchset import PatchSet
from napari_patchmap.plugin.canvas.arrangement import camera_of
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.explore.explore import Explore
from napari_patchmap.plugin.qt.docks import show_panel
from napari_patchmap.plugin.qt.remembered import switches_file
from napari_patchmap.plugin.qt.theme import qcolor
from napari_patchmap.plugin.workspace import Compared, workspace_of
from tests.plugin.toy import on_map

ONE_WINDOW = True

#: Patches of a common class, and of a rare one in its midst.
COMMON, RARE = 880, 20


def many_patches() -> PatchSet:
    """Make more patches than are pictures anyway."""
    rng = np.random.default_rng(1)
    count = COMMON + RARE
    images = rng.integers(0, 255, (count, 8, 8, 1), np.uint8)
    table = box_table("many.tif", np.arange(count), np.tile([8, 8], (count, 1)))
    table["label"] = np.repeat(["common", "rare"], [COMMON, RARE])
    return PatchSet(images, table, ("grey",), name="many")


def many_places() -> np.ndarray:
    """Lay them out in a grid of 30 x 30, in no order."""
    cells = np.random.default_rng(2).permutation(COMMON + RARE)
    return np.stack(np.divmod(cells, 30), axis=1).astype(np.float32)


@pytest.fixture
def many(viewer):
    """The map of many patches, on screen."""
    return on_map(viewer, many_patches(), many_places())


@pytest.fixture
def panel(viewer, many):
    """The Explore panel beside the map."""
    return show_panel(viewer, "explore")


def pictures(owner):
    return owner.mouse.overlay.pictures


def patches_of(owner):
    return {picture.patch for picture in pictures(owner)}


def switch_on(qtbot, panel, owner):
    """Click the switch, and wait for what is chosen in the background."""
    box = panel.pictures
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    assert box.isChecked()
    qtbot.waitUntil(lambda: len(pictures(owner)) > 0)


def test_the_switch_shows_pictures_that_do_not_overlap(qtbot, many, panel):
    assert pictures(many) == []  # 900 points are too many to be pictures all
    switch_on(qtbot, panel, many)
    shown = pictures(many)
    assert 10 < len(shown) < 250
    places = np.array([picture.place for picture in shown])
    away = np.abs(places[:, None] - places[None]).max(axis=2)
    np.fill_diagonal(away, np.inf)
    framed = many.close_up.side + 6
    assert away.min() >= framed
    where = (many_places() - np.array(camera_of(many.viewer).center)[-2:])[:, ::-1]
    for picture in shown:
        assert picture.frame == qcolor(many.colouring.colours[picture.patch, :3])
        offset = np.array(picture.place) - where[picture.patch] * camera_of(many.viewer).zoom
        middle = np.array([many.mouse.overlay.width(), many.mouse.overlay.height()]) / 2
        assert np.abs(offset - middle).max() < 1.5  # each at its point
    assert any(picture.patch >= COMMON for picture in shown)
    assert any(picture.patch < COMMON for picture in shown)


def test_pictures_stay_while_one_zooms_in_and_moves(qtbot, many, panel):
    switch_on(qtbot, panel, many)
    camera = camera_of(many.viewer)
    before = patches_of(many)
    camera.zoom *= 1.3
    seen = camera.zoom * (many_places() - np.array(camera.center)[-2:])
    half = np.array([many.mouse.overlay.height(), many.mouse.overlay.width()]) / 2
    stays = {i for i in before if (np.abs(seen[i]) < half).all()}
    assert stays
    assert stays <= patches_of(many)
    assert len(patches_of(many)) > len(stays)
    one = max(stays, key=lambda i: -np.abs(seen[i]).max())
    camera.center = tuple(np.array(camera.center) + 0.7)
    assert one in patches_of(many)
    camera.zoom *= 6  # close enough for all
    close = np.abs(camera.zoom * (many_places() - np.array(camera.center)[-2:])) < half
    assert set(np.flatnonzero(close.all(axis=1)).tolist()) <= patches_of(many)


def test_a_click_on_a_picture_means_its_patch(qtbot, many, panel, hand, workspace):
    switch_on(qtbot, panel, many)
    picture = pictures(many)[len(pictures(many)) // 2]
    off = many.close_up.side / 2 - 3
    at = QPoint(round(picture.place[0] + off), round(picture.place[1] - off))
    qtbot.mouseMove(hand.canvas, at)
    qtbot.waitUntil(lambda: many.hand.pointed == picture.patch)
    before = patches_of(many)
    qtbot.mouseClick(hand.canvas, Qt.MouseButton.LeftButton, pos=at)
    assert workspace.selection.tolist() == [picture.patch]
    assert workspace.current == picture.patch
    # The others fade and stay: to look at one is not to lose the rest.
    assert patches_of(many) == before
    assert {p.patch for p in pictures(many) if not p.faded} == {picture.patch}


def test_what_is_selected_is_among_the_pictures(qtbot, many, panel, workspace):
    switch_on(qtbot, panel, many)
    chosen = np.setdiff1d(np.arange(COMMON), list(patches_of(many)))[:300]
    workspace.select(chosen)
    assert all(picture.faded for picture in pictures(many))

    def bright():
        return {picture.patch for picture in pictures(many) if not picture.faded}

    qtbot.waitUntil(lambda: len(bright()) > 8)
    assert bright() <= set(chosen.tolist())
    places = np.array([picture.place for picture in pictures(many)])
    away = np.abs(places[:, None] - places[None]).max(axis=2)
    np.fill_diagonal(away, np.inf)
    assert away.min() >= many.close_up.side + 6


def test_what_is_hidden_has_no_picture(qtbot, many, panel):
    switch_on(qtbot, panel, many)
    assert min(patches_of(many)) < COMMON
    many.points.shown = np.arange(COMMON + RARE) >= COMMON
    assert patches_of(many) <= set(range(COMMON, COMMON + RARE))
    qtbot.waitUntil(lambda: len(pictures(many)) > 5)  # so few are left that all are shown
    many.points.visible = False
    assert pictures(many) == []


def test_the_key_switches_and_the_next_window_remembers(
    qtbot, many, panel, hand, make_napari_viewer
):
    hand.canvas.setFocus()
    qtbot.keyClick(hand.canvas, Qt.Key.Key_I)
    assert panel.pictures.isChecked()
    qtbot.waitUntil(lambda: len(pictures(many)) > 0)
    other = make_napari_viewer(show=True)
    assert Explore(other).pictures.isChecked()
    qtbot.keyClick(hand.canvas, Qt.Key.Key_I)
    assert not panel.pictures.isChecked()
    assert pictures(many) == []
    assert json.loads(switches_file().read_text())["switches"] == {"pictures_on_map": False}
    switches_file().write_text("not json")
    assert not MapLayer.of(make_napari_viewer()).close_up.from_afar


def test_maps_beside_each_other_have_pictures_each(qtbot, many, panel, workspace):
    switch_on(qtbot, panel, many)
    workspace.set_compared([Compared(_saved(), many_places()[::-1].copy())])
    QApplication.processEvents()
    left, right = many.points.data, many.board.maps[0].data

    def on(places):
        camera = camera_of(many.viewer)
        wanted = (places - np.array(camera.center)[-2:])[:, ::-1] * camera.zoom
        half = np.array([many.mouse.overlay.width(), many.mouse.overlay.height()]) / 2
        return sum(np.abs(wanted[p.patch] + half - p.place).max() < 2 for p in pictures(many))

    qtbot.waitUntil(lambda: on(left) > 5 and on(right) > 5)


def test_a_map_in_3d_has_none(qtbot, viewer, panel, many):
    switch_on(qtbot, panel, many)
    deep = np.c_[many_places(), np.arange(COMMON + RARE) % 7].astype(np.float32)
    workspace_of(viewer).set_embedding(deep)
    assert pictures(many) == []


def _saved():
    class Saved:
        caption, folder, label_from = "another map", None, ""

    return Saved()
