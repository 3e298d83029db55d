"""What a person does on the map with the mouse and the keys."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import Qt

from napari_patchmap.plugin.canvas.looking import camera_state
from napari_patchmap.plugin.canvas.two_views import camera_of
from tests.plugin.toy import CENTRES, around, group, toy_map, words_on_card

SHIFT = Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier
CTRL = Qt.KeyboardModifier.ControlModifier
NOWHERE = (40.0, 10.0)
ONE_WINDOW = True


def test_click_selects_a_point_and_looks_at_it(shown_map, workspace, hand):
    places = toy_map()
    hand.click(places[7])
    assert workspace.selection.tolist() == [7]
    assert workspace.current == 7
    hand.click(places[70])
    assert workspace.selection.tolist() == [70]
    assert workspace.current == 70


def test_shift_click_adds_and_alt_click_takes_away(shown_map, workspace, hand):
    places = toy_map()
    hand.click(places[3])
    hand.click(places[80], SHIFT)
    assert workspace.selection.tolist() == [3, 80]
    assert workspace.current == 80
    hand.click(places[3], ALT)
    assert workspace.selection.tolist() == [80]
    assert workspace.current == 80


def test_click_on_empty_space_clears(shown_map, workspace, hand):
    hand.click(toy_map()[3])
    hand.click(NOWHERE, SHIFT)
    assert workspace.selection.tolist() == [3]
    hand.click(NOWHERE)
    assert workspace.selection.size == 0
    assert workspace.current == -1


def test_shift_drag_draws_a_lasso_without_moving_the_map(viewer, shown_map, workspace, hand):
    before = camera_state(viewer)
    seen = []
    hand.drag(around("spiky"), SHIFT, look=lambda: seen.append(shown_map.mouse.overlay.drawing))
    np.testing.assert_array_equal(workspace.selection, group("spiky"))
    assert camera_state(viewer) == before
    assert seen == [True]
    assert not shown_map.mouse.overlay.drawing
    hand.drag(around("empty"), SHIFT)
    np.testing.assert_array_equal(
        workspace.selection, np.concatenate([group("spiky"), group("empty")])
    )


def test_ctrl_drag_selects_anew(viewer, shown_map, workspace, hand):
    before = camera_state(viewer)
    hand.click(toy_map()[3])
    hand.drag(around("spiky"), CTRL)
    np.testing.assert_array_equal(workspace.selection, group("spiky"))
    assert camera_state(viewer) == before


def test_ctrl_click_adds_and_takes_away(shown_map, workspace, hand):
    for index, expected in ((3, [3]), (80, [3, 80]), (3, [80])):
        hand.click(toy_map()[index], CTRL)
        assert workspace.selection.tolist() == expected


def test_the_lasso_takes_away_while_its_button_says_so(shown_map, workspace, hand):
    shown_map.commands.select_all()
    shown_map.hand.set_lasso(True)
    shown_map.hand.set_take_away(True)
    hand.drag(around("spiky"))
    hand.drag(around("empty"))
    np.testing.assert_array_equal(workspace.selection, group("round"))
    shown_map.hand.set_take_away(False)
    hand.drag(around("empty"))
    np.testing.assert_array_equal(workspace.selection, group("empty"))


def test_esc_gives_up_a_lasso_before_it_clears_the_selection(
    viewer, shown_map, workspace, hand, qtbot
):
    workspace.select(np.array([3]))
    before = camera_state(viewer)
    hand.drag(
        around("spiky"), SHIFT, look=lambda: qtbot.keyClick(hand.canvas, Qt.Key.Key_Escape)
    )
    assert workspace.selection.tolist() == [3]
    assert not shown_map.mouse.overlay.drawing
    assert camera_state(viewer) == before
    qtbot.keyClick(hand.canvas, Qt.Key.Key_Escape)
    assert workspace.selection.size == 0


def test_plain_drag_moves_the_map_and_keeps_the_selection(viewer, shown_map, workspace, hand):
    hand.click(toy_map()[3])
    before = camera_state(viewer)
    hand.drag([(30.0, 20.0), (30.0, 60.0)])
    assert camera_state(viewer) != before
    assert workspace.selection.tolist() == [3]


def test_lasso_tool_replaces_adds_and_takes_away(viewer, shown_map, workspace, hand):
    shown_map.hand.set_lasso(True)
    before = camera_state(viewer)
    hand.drag(around("round"))
    hand.drag(around("spiky"))
    np.testing.assert_array_equal(workspace.selection, group("spiky"))
    hand.drag(around("round"), SHIFT)
    assert len(workspace.selection) == 100
    hand.drag(around("spiky"), ALT)
    np.testing.assert_array_equal(workspace.selection, group("round"))
    assert camera_state(viewer) == before
    shown_map.hand.set_lasso(False)
    hand.drag([(30.0, 20.0), (30.0, 60.0)])
    assert camera_state(viewer) != before


def test_of_very_many_points_the_one_under_the_mouse_is_known_before_it_comes(
    shown_map, workspace, hand, qtbot, monkeypatch
):
    monkeypatch.setattr("napari_patchmap.plugin.map.map_layer._MANY", 10)
    workspace.set_embedding(toy_map()[::-1].copy())
    qtbot.waitUntil(lambda: not shown_map.board.stale)
    hand.hover(toy_map()[3])
    assert shown_map.hand.pointed == 116
    hand.hover(NOWHERE)
    shown = np.ones(120, bool)
    shown[116] = False
    shown_map.points.shown = shown
    qtbot.waitUntil(lambda: not shown_map.board.stale)
    hand.hover(toy_map()[3])
    assert shown_map.hand.pointed == -1


def test_points_hidden_in_napari_cannot_be_selected(shown_map, workspace, hand):
    shown = np.ones(120, bool)
    shown[group("spiky")[:30]] = False
    hand.hover(toy_map()[group("spiky")[0]])
    shown_map.points.shown = shown
    hand.click(toy_map()[group("spiky")[0]], SHIFT)
    hand.drag(around("spiky"), SHIFT)
    np.testing.assert_array_equal(workspace.selection, group("spiky")[30:])


def test_keys_on_the_canvas_undo_redo_clear_and_take_the_lasso(
    shown_map, workspace, hand, qtbot
):
    hand.click(toy_map()[3])
    hand.click(toy_map()[90])
    qtbot.keyClick(hand.canvas, Qt.Key.Key_Z, CTRL)
    assert workspace.selection.tolist() == [3]
    qtbot.keyClick(hand.canvas, Qt.Key.Key_Z, CTRL | SHIFT)
    assert workspace.selection.tolist() == [90]
    qtbot.keyClick(hand.canvas, Qt.Key.Key_Escape)
    assert workspace.selection.size == 0
    assert workspace.current == -1
    qtbot.keyClick(hand.canvas, Qt.Key.Key_L)
    assert shown_map.hand.lasso


def test_mouse_works_whichever_layer_is_active(viewer, shown_map, workspace, hand):
    layer = viewer.add_points(np.array([CENTRES["round"]]), name="mine")
    shown_map.views.show("map")
    viewer.layers.selection.active = layer
    hand.click(toy_map()[5])
    assert workspace.selection.tolist() == [5]


def test_hovering_shows_the_patch_and_its_label(shown_map, hand):
    overlay = shown_map.mouse.overlay
    hand.hover(NOWHERE)
    assert words_on_card(overlay) == []
    hand.hover(toy_map()[65])
    assert words_on_card(overlay) == ["spiky", "toy.tif · 65"]
    assert overlay.isVisible()
    hand.hover(NOWHERE)
    assert words_on_card(overlay) == []


def test_mouse_leaves_the_map_alone_while_the_source_is_shown(
    viewer, shown_map, workspace, hand
):
    viewer.add_image(np.zeros((120, 90, 90), np.uint8))
    assert shown_map.views.now == "source"
    hand.click((45.0, 45.0))
    assert workspace.selection.size == 0


def test_keys_act_on_the_selection_while_the_source_is_shown(
    viewer, shown_map, workspace, hand, qtbot
):
    workspace.select(np.array([3]))
    workspace.select(np.array([90]))
    for data, add in (
        (np.zeros((90, 90)), "add_image"),
        (np.ones((90, 90), int), "add_labels"),
    ):
        layer = getattr(viewer, add)(data)
        assert shown_map.views.now == "source"
        viewer.layers.selection.active = layer
        qtbot.keyClick(hand.canvas, Qt.Key.Key_Z, CTRL)
        assert workspace.selection.tolist() == [3]
        qtbot.keyClick(hand.canvas, Qt.Key.Key_Z, CTRL | SHIFT)
        assert workspace.selection.tolist() == [90]
    layer.mode = "paint"
    layer.paint((10, 10), 7)
    qtbot.keyClick(hand.canvas, Qt.Key.Key_Z, CTRL)  # what was painted goes first
    assert layer.data[10, 10] == 1
    assert workspace.selection.tolist() == [90]
    layer.mode = "pan_zoom"
    qtbot.keyClick(hand.canvas, Qt.Key.Key_Escape)
    assert workspace.selection.size == 0


def test_what_lies_on_top_is_what_is_clicked_close_up(viewer, shown_map, workspace, hand):
    """Where pictures of patches overlap, the one that is seen is meant, not the nearest."""
    workspace.set_embedding(np.zeros((120, 2)) + np.arange(120)[:, None] * [0.0, 0.01])
    pictures = shown_map.mouse.overlay.pictures
    x, y = pictures[-1].place
    shown_map.workspace.select(np.empty(0, int))
    assert shown_map.mouse.patch_at(np.array([x, y])) == pictures[-1].patch


def test_close_up_patches_take_the_place_of_points(viewer, shown_map, workspace, hand):
    camera = camera_of(viewer)
    overlay = shown_map.mouse.overlay
    assert len(overlay.pictures) == 120  # a small map is close from the start
    camera.center, camera.zoom = toy_map()[22], camera.zoom * 12
    shown = {picture.place for picture in overlay.pictures}
    assert 0 < len(shown) < 20
    where = hand.pixel(toy_map()[22])
    assert min(abs(x - where.x()) + abs(y - where.y()) for x, y in shown) < 2
    beside = np.array([0.0, (shown_map.close_up.side / 2 - 3) / camera.zoom])
    hand.click(toy_map()[22] + beside)  # on its picture, though far from its point
    assert workspace.selection.tolist() == [22]
    assert [picture.current for picture in overlay.pictures].count(True) == 1
    shown_map.points.visible = False
    camera.zoom *= 1.1
    assert overlay.pictures == []
