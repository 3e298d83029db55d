"""Groups in the tab Find: found, seen on map and objects, named, merged, split, annotated."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication, QLineEdit

from napari_patchmap.explore.annotation import rgba
from napari_patchmap.find.search import found_column
from napari_patchmap.patches import from_objects
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.qt.docks import show_panel
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.training import fit
from tests.plugin.images import grid_labels, tick

ONE_WINDOW = True

LEFT, CONTROL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier
GREY = np.repeat([220, 140, 60], [12, 8, 4])  # of the objects, three kinds


@pytest.fixture(scope="module")
def objects():
    """24 objects of three kinds, in an image with labels, and their map."""
    labels, random = grid_labels(), np.random.default_rng(0)
    image = random.integers(0, 12, labels.shape, np.uint8)
    image += np.array([0, *GREY], np.uint8)[labels]
    patches = from_objects(image, labels, name="field", labels_name="nuclei")
    run = fit(patches, RunConfig(TrainConfig(method="pixels", device="cpu")))
    return image, labels, patches, run


@pytest.fixture
def shown(qtbot, viewer, workspace, objects, tmp_path):
    """The unfolded box of groups with three groups, and the folder of the run."""
    image, labels, patches, run = objects
    viewer.add_image(image, name="field")
    viewer.add_labels(labels, name="nuclei")
    folder = dataclasses.replace(run).save(tmp_path / "run")
    panel = show_panel(viewer, "find")
    viewer.window.resize(1300, 1000)
    workspace.set_patches(patches)
    workspace.set_run(Run.load(folder))
    box = panel.boxes["groups"]
    qtbot.mouseClick(box.fold.button, LEFT)
    box.form.set_config(box.form.config.replace(groups=3))
    qtbot.mouseClick(box.begin, LEFT)
    qtbot.waitUntil(lambda: not box.work.running, timeout=60_000)
    return box, folder


def click(qtbot, box, row: int, how=Qt.KeyboardModifier.NoModifier) -> None:
    """Click the name of a group."""
    place = box.table.visualItemRect(box.table.topLevelItem(row)).topLeft() + QPoint(60, 10)
    qtbot.mouseClick(box.table.viewport(), LEFT, how, place)


def press(qtbot, box, button) -> None:
    qtbot.mouseClick(button, LEFT)
    qtbot.waitUntil(lambda: not box.work.running, timeout=60_000)


def call(qtbot, box, row: int, name: str) -> None:
    """Double-click the name of a group and type another."""
    place = box.table.visualItemRect(box.table.topLevelItem(row)).topLeft() + QPoint(60, 10)
    qtbot.mouseClick(box.table.viewport(), LEFT, pos=place)
    qtbot.mouseDClick(box.table.viewport(), LEFT, pos=place)
    editor = box.table.findChild(QLineEdit)
    editor.selectAll()
    qtbot.keyClicks(editor, name)
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    QApplication.processEvents()
    qtbot.waitUntil(lambda: not box.work.running, timeout=60_000)


def names(box) -> list[str]:
    table = box.table
    return [table.topLevelItem(row).text(0) for row in range(table.topLevelItemCount())]


def test_groups_are_seen_on_the_map_and_on_the_objects(qtbot, viewer, workspace, shown):
    box, folder = shown
    assert names(box) == ["group 1", "group 2", "group 3"]
    owner, layer = MapLayer.of(viewer), viewer.layers["nuclei"]
    assert owner.colouring.column == found_column("group")
    explore = show_panel(viewer, "explore")
    tick(explore.on_image.paint)
    groups = workspace.table[found_column("group")].to_numpy()
    for kind, grey in enumerate((220, 140, 60), 1):
        members = np.flatnonzero(grey == GREY)
        assert set(groups[members]) == {f"group {kind}"}
        colour = owner.colouring.colours[members[0]]
        for number in members + 1:
            np.testing.assert_allclose(layer.get_color(int(number)), colour, atol=1e-6)
    show_panel(viewer, "find")
    click(qtbot, box, 1)
    assert workspace.selection.tolist() == np.flatnonzero(GREY == 140).tolist()
    click(qtbot, box, 2, CONTROL)
    assert workspace.selection.tolist() == np.flatnonzero(GREY < 200).tolist()
    assert Run.load(folder).found["groups"].columns["group"].tolist() == groups.tolist()


def test_a_typical_patch_is_looked_at_by_its_picture(qtbot, workspace, shown):
    box, _ = shown
    item = box.table.topLevelItem(2)
    picture = box.table.visualRect(box.table.indexFromItem(item, 1)).topLeft() + QPoint(45, 20)
    qtbot.mouseClick(box.table.viewport(), LEFT, pos=picture)
    assert workspace.current == box.found.listed["index"][7]
    assert GREY[workspace.current] == 60


def test_a_group_is_renamed_in_place_unless_the_name_is_taken(qtbot, workspace, shown):
    box, folder = shown
    call(qtbot, box, 1, "grey ones")
    assert names(box) == ["group 1", "grey ones", "group 3"]
    assert (workspace.table[found_column("group")] == "grey ones").sum() == 8
    assert set(Run.load(folder).found["groups"].columns["group"]) == set(names(box))
    call(qtbot, box, 2, "Grey  ones")
    assert box.said.text().startswith("There is a group grey ones already")
    assert names(box) == ["group 1", "grey ones", "group 3"]


def test_groups_are_merged_split_and_brought_back(qtbot, workspace, shown):
    box, _ = shown
    assert not box.undo.isEnabled()
    assert not box.merge.isEnabled()
    click(qtbot, box, 1)
    click(qtbot, box, 2, CONTROL)
    press(qtbot, box, box.merge)
    assert names(box) == ["group 1", "group 2"]
    assert "changed by hand" in box.said.text()
    click(qtbot, box, 1)
    press(qtbot, box, box.split)
    assert names(box) == ["group 1", "group 2 a", "group 2 b"]
    found = workspace.table[found_column("group")].to_numpy()
    assert set(found[GREY == 60]) == {"group 2 b"}
    for _ in range(2):
        qtbot.mouseClick(box.undo, LEFT)
    assert names(box) == ["group 1", "group 2", "group 3"]
    assert not box.undo.isEnabled()


def test_groups_become_classes_in_their_colours(qtbot, viewer, workspace, shown):
    box, _ = shown
    colours = MapLayer.of(viewer).colouring.colours.copy()
    qtbot.mouseClick(box.annotate, LEFT)
    made = workspace.annotations.by_name["groups"]
    assert made.names.tolist() == workspace.table[found_column("group")].tolist()
    for name, colour in made.colours.items():
        first = int(np.flatnonzero(made.names == name)[0])
        assert abs(rgba(colour) - colours[first]).max() < 0.01
    workspace.undo()
    assert "groups" not in workspace.annotations.by_name


def test_a_number_on_the_curve_is_clicked(qtbot, shown):
    box, _ = shown
    assert not box.elbow.isVisible()
    box.form.set_config(box.form.config.replace(groups=None))
    press(qtbot, box, box.begin)
    assert box.elbow.isVisible()
    assert len(names(box)) == box.found.report["elbow"]["suggested"]
    qtbot.mouseClick(box.elbow, LEFT, pos=box.elbow.place_of(5).toPoint())
    qtbot.waitUntil(lambda: not box.work.running, timeout=60_000)
    assert len(names(box)) == 5
    assert box.elbow.isVisible()


def test_what_is_missing_is_one_sentence_and_costs_nothing(qtbot, workspace, shown):
    box, _ = shown
    box.form.set_config(box.form.config.replace(groups=20))
    press(qtbot, box, box.begin)
    assert box.said.text().endswith("choose fewer groups.")
    assert names(box) == ["group 1", "group 2", "group 3"]


def test_representative_patches_are_ranked_and_looked_at(qtbot, viewer, workspace, shown):
    box = show_panel(viewer, "find").boxes["representative"]
    qtbot.mouseClick(box.fold.button, LEFT)
    box.form.set_config(box.form.config.replace(count=6, how="groups"))
    press(qtbot, box, box.begin)
    assert box.said.text() == "6 of 24 patches, by group."
    qtbot.mouseClick(box.look, LEFT)
    kinds, counts = np.unique(GREY[workspace.selection], return_counts=True)
    assert kinds.tolist() == [60, 140, 220]
    assert counts.tolist() == [2, 2, 2]
