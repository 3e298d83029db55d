"""Keys: one list of them, none that napari has for something else, and what they do."""

from __future__ import annotations

import re
import runpy
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from napari import layers
from napari._app_model import get_app_model
from napari.components import ViewerModel
from napari.utils.key_bindings import coerce_keybinding
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_patchmap.plugin import actions
from napari_patchmap.plugin.actions import ACTIONS, Where
from napari_patchmap.plugin.entry.open_all import open_workspace
from napari_patchmap.plugin.napari_private import canvas_widget
from napari_patchmap.plugin.qt.docks import PANELS, find_panel
from napari_patchmap.plugin.qt.keyboard import Keyboard
from tests.plugin.toy import group, toy_map, toy_patches

ONE_WINDOW = True

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
KEY = Qt.Key


def in_napari(key: str) -> str:
    """Return a key as napari writes it."""
    return str(coerce_keybinding(key.replace("Return", "Enter").replace("Esc", "Escape")))


def keys_of(*kinds: type) -> dict[str, str]:
    """Return napari's own keys for some kinds of layers, and what they are called."""
    return {
        str(key): getattr(act, "__name__", str(act))
        for kind in kinds
        for key, act in kind.class_keymap.items()
    }


def panel_of(panels, key):
    panel = panels(key)
    panel.parent().raise_()
    QApplication.processEvents()
    return panel


@pytest.fixture
def panels(viewer, in_front, workspace):
    """The panels of the workspace, by their keys, with the toy patches and their map."""
    open_workspace(viewer)
    workspace.set_patches(toy_patches())
    workspace.set_embedding(toy_map())
    QApplication.processEvents()
    return partial(find_panel, viewer)


def test_no_key_has_two_meanings_here_or_in_napari(viewer):
    ours = [(key, action) for action in ACTIONS.values() for key in action.keys]
    there = [key for key, action in ours if action.where is not Where.GALLERY]
    assert len(there) == len(set(there))
    for key, _ in ours:
        assert QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText) == key
    menus = {str(bound.keybinding) for bound in get_app_model().keybindings}
    points = keys_of(layers.Points)
    looked_at = keys_of(layers.Image, layers.Surface, layers.Tracks, layers.Vectors)
    drawn_on = keys_of(layers.Labels, layers.Shapes)
    assert points["Ctrl+A"]  # these are theirs indeed
    assert "Ctrl+O" in menus
    for key, action in ours:
        theirs = {**keys_of(ViewerModel), **dict.fromkeys(menus, "in a menu")}
        if action.where is Where.CANVAS:
            theirs.update(looked_at)
        if action.where is Where.WINDOW:
            theirs.update({**looked_at, **points, **drawn_on})
        elif action.where is not Where.GALLERY and in_napari(key) in points:
            assert action.instead, f"{key} is napari's {points[in_napari(key)]} on points"
        if action.where is not Where.GALLERY:
            assert in_napari(key) not in theirs, (key, action.name, theirs[in_napari(key)])


def test_somebody_does_each_action_and_each_tab_has_a_key(viewer, panels):
    keyboard = Keyboard.of(viewer)
    missing = [
        action.name
        for action in ACTIONS.values()
        if action.where is not Where.GALLERY and keyboard._found(action.name) is None
    ]
    assert missing == []
    assert len(ACTIONS["tab"].keys) == len(PANELS)


def test_the_same_keys_act_on_the_map_and_in_every_panel(viewer, panels, workspace, shown_map):
    mouse, canvas = shown_map.hand, canvas_widget(viewer)
    workspace.select(group("spiky"))
    box = panel_of(panels, "explore").column_box
    box.setFocus()
    QTest.keyClick(box, KEY.Key_L)  # a list to choose from would look for a word with l
    assert mouse.lasso
    QTest.keyClick(canvas, KEY.Key_L)
    assert not mouse.lasso
    QTest.keyClick(panels("explore").lasso, KEY.Key_I, CTRL)
    assert len(workspace.selection) == 80
    QTest.keyClick(canvas, KEY.Key_Z, CTRL)
    assert len(workspace.selection) == 40
    QTest.keyClick(canvas, KEY.Key_K)
    assert shown_map.colouring.column == "area"
    QTest.keyClick(canvas, KEY.Key_N)
    first = workspace.current
    QTest.keyClick(canvas, KEY.Key_N)
    QTest.keyClick(panels("gallery").grid, KEY.Key_N, SHIFT)
    assert workspace.current == first == group("spiky")[0]
    QTest.keyClick(canvas, KEY.Key_8, CTRL)
    assert not panels("compare").visibleRegion().isEmpty()


def test_hidden_patches_cannot_be_selected_until_they_are_shown(viewer, workspace, shown_map):
    canvas = canvas_widget(viewer)
    workspace.select(group("spiky"))
    QTest.keyClick(canvas, KEY.Key_H)
    assert not shown_map.points.shown[group("spiky")].any()
    QTest.keyClick(canvas, KEY.Key_A, CTRL)
    np.testing.assert_array_equal(
        workspace.selection, np.concatenate([group("round"), group("empty")])
    )
    QTest.keyClick(canvas, KEY.Key_H, SHIFT)
    QTest.keyClick(canvas, KEY.Key_A, CTRL)
    assert len(workspace.selection) == 120


def test_images_keep_napari_s_keys_and_have_ours_besides(viewer, workspace, shown_map):
    canvas = canvas_widget(viewer)
    image = viewer.add_image(np.zeros((40, 40)))
    viewer.layers.selection.active = image
    workspace.select(np.array([1]))
    QTest.keyClick(canvas, KEY.Key_2)
    assert image.mode == "transform"
    assert workspace.annotations.empty
    QTest.keyClick(canvas, KEY.Key_I, CTRL)
    assert len(workspace.selection) == 119
    labels = viewer.add_labels(np.ones((40, 40), int))
    viewer.layers.selection.active = labels
    QTest.keyClick(canvas, KEY.Key_L)
    assert labels.mode == "pick"
    assert not shown_map.hand.lasso
    labels.mode = "pan_zoom"
    QTest.keyClick(canvas, KEY.Key_M)  # on Labels a new label
    assert shown_map.views.now == "source"


def test_nothing_is_done_while_one_types(viewer, panels, workspace, shown_map):
    workspace.select(np.array([1, 2]))
    name = panel_of(panels, "annotate").name
    name.setFocus()
    QTest.keyClicks(name, "all? 1h")
    assert name.text() == "all? 1h"
    assert not shown_map.hand.lasso
    assert shown_map.points.shown.all()
    assert workspace.annotations.empty
    QTest.keyClick(name, KEY.Key_A, CTRL)
    assert name.selectedText() == "all? 1h"
    assert workspace.selection.tolist() == [1, 2]
    QTest.keyClick(name, KEY.Key_Escape)  # done with typing
    assert workspace.selection.tolist() == [1, 2]
    assert QApplication.focusWidget() is canvas_widget(viewer)


def test_what_cannot_be_done_says_what_it_needs(viewer, shown_map, workspace):
    said = []
    workspace.status_changed.connect(said.append)
    QTest.keyClick(canvas_widget(viewer), KEY.Key_E)
    QTest.keyClick(canvas_widget(viewer), KEY.Key_F)
    assert said == [ACTIONS["accept"].needs, ACTIONS["zoom"].needs]


def test_what_is_large_is_only_begun_in_its_own_tab(viewer, panels, workspace, tasks):
    panel_of(panels, "explore")
    before = len(tasks)
    QTest.keyClick(canvas_widget(viewer), KEY.Key_Return, CTRL)
    assert not panels("train").visibleRegion().isEmpty()
    assert not workspace.training
    assert len(tasks) == before


def test_no_other_module_says_a_key():
    """Keys stand in the list; whoever needs the name of one asks there."""
    root = Path(actions.__file__).parent
    said = [
        f"{path.name}: {found}"
        for path in root.rglob("*.py")
        if path.name != "actions.py"
        for found in re.findall(
            r"(?:Ctrl|Shift)\+[A-Z1-9]\b|\bkey [A-Z0-9]\b", path.read_text()
        )
    ]
    assert said == []


def test_a_key_opens_the_panel_that_does_it(viewer, in_front, shown_map, workspace):
    QTest.keyClick(canvas_widget(viewer), KEY.Key_C, SHIFT)
    name = find_panel(viewer, "annotate").name
    assert name.hasFocus()
    QTest.keyClicks(name, "cell")
    QTest.keyClick(name, KEY.Key_Return)
    assert [one.name for one in workspace.annotations.now.classes] == ["cell"]


def test_the_docs_are_written_from_the_list():
    docs = Path(__file__).parents[2] / "docs"
    made = runpy.run_path(str(docs / "make_keys.py"))
    assert (docs / "keys.md").read_text("utf-8") == made["text"]()
    assert "(docs/keys.md)" in (docs.parent / "README.md").read_text("utf-8")
