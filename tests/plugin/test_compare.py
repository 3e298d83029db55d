"""Maps of the same patches beside each other: one selection, one set of colours, one table."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QStyle, QStyleOptionViewItem

from napari_patchmap.plugin.canvas.looking import to_canvas
from napari_patchmap.plugin.canvas.two_views import camera_of
from napari_patchmap.plugin.map import marks
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.compare.compare import CompareMaps
from napari_patchmap.quality import FIGURES
from napari_patchmap.runs import Run, RunConfig, TrainConfig, runs_home
from napari_patchmap.training import fit
from tests.conftest import make_cells
from tests.plugin.toy import drop, words_on_card
from tests.quality.toy_figure import toy_listed

ONE_WINDOW = True

SHIFT = Qt.KeyboardModifier.ShiftModifier
OTHER = f"{marks.BESIDE}t-SNE of pixels"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Saved runs: two of the same cells, one of others."""
    home = tmp_path_factory.mktemp("made")
    train = {"device": "cpu", "batch_size": 20}
    settings = {
        "ours": TrainConfig(**train, epochs=(1.0, 1.0, 1.0)),
        "pixels": TrainConfig(device="cpu", method="pixels"),
        "solid": TrainConfig(device="cpu", method="pixels", dimensions=3),
    }
    for name, config in settings.items():
        fit(make_cells(), RunConfig(config)).save(home / name)
    fit(make_cells(45, seed=4), RunConfig(settings["pixels"])).save(home / "others")
    return home


@pytest.fixture
def runs(made):
    """The same runs where napari keeps those that it trained."""
    for name in ("ours", "pixels", "others"):
        shutil.copytree(made / name, runs_home() / name)
    return runs_home()


@pytest.fixture
def panel(viewer, qtbot, runs):
    """The panel, with the map of the first run open."""
    MapLayer.of(viewer)
    widget = CompareMaps(viewer)
    viewer.window.add_dock_widget(widget, name="Compare")
    widget.workspace.set_patches(make_cells())
    widget.workspace.set_run(Run.load(runs / "ours"))
    qtbot.waitUntil(lambda: widget.table.rowCount() == 2)
    return widget


def tick(qtbot, panel, row):
    """Click the box in front of a map."""
    table = panel.table
    item = table.item(row, 0)
    option = QStyleOptionViewItem()
    option.initFrom(table)
    option.rect = table.visualItemRect(item)
    option.features |= QStyleOptionViewItem.ViewItemFeature.HasCheckIndicator
    box = table.style().subElementRect(
        QStyle.SubElement.SE_ItemViewItemCheckIndicator, option, table
    )
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=box.center())


def show_other(qtbot, panel):
    tick(qtbot, panel, 1)
    qtbot.waitUntil(lambda: len(panel.workspace.compared) == 1)
    QApplication.processEvents()
    return panel.viewer.layers[OTHER]


def test_it_leads_to_what_is_missing(viewer):
    panel = CompareMaps(viewer)
    assert "Load patches first" in panel.missing
    panel.workspace.set_patches(make_cells())
    assert "Train a map first" in panel.missing


def test_the_maps_of_these_patches_are_listed_with_quality_and_cost(panel, runs):
    table, run = panel.table, Run.load(runs / "pixels")
    assert (
        table.item(0, 0)
        .text()
        .startswith("t-SimCNE, rotations\nthis map · 1 + 1 + 1 epochs · today ")
    )
    assert table.item(0, 0).text().count(":") == 1  # the hour is said once
    assert table.item(0, 0).checkState() == Qt.CheckState.Checked
    assert table.item(1, 0).text().startswith("t-SNE of pixels\ntoday")
    assert table.item(1, 0).checkState() == Qt.CheckState.Unchecked
    assert table.item(1, 1).text() == f"{100 * run.metrics['knn']['accuracy']:.1f} %"
    assert table.item(1, 2).text() == f"{run.metrics['silhouette']['mean']:.2f}"
    took = table.item(1, table.columnCount() - 1)
    assert "s" in took.text()
    assert "CPU" in took.toolTip()


def test_a_figure_in_the_list_has_a_column(viewer, qtbot, runs):
    metrics = json.loads((runs / "pixels" / "metrics.json").read_text("utf-8"))
    metrics["toy_key"] = {"share": 0.25, "seen": 60}
    (runs / "pixels" / "metrics.json").write_text(json.dumps(metrics), "utf-8")
    with toy_listed():
        panel = CompareMaps(viewer)
        panel.workspace.set_patches(make_cells())
        panel.workspace.set_run(Run.load(runs / "ours"))
        qtbot.waitUntil(lambda: panel.table.rowCount() == 2)
        last = sum(figure.headline for figure in FIGURES)
        heading = panel.table.horizontalHeaderItem(last)
        assert heading.text() == "Toy"
        assert "Nobody 1900" in heading.toolTip()
        assert [panel.table.item(row, last).text() for row in range(2)] == ["–", "25.0 %"]
        assert panel.table.horizontalHeaderItem(last + 1).text() == "Time"


def test_all_figures_of_the_ticked_maps_stand_beside_each_other(qtbot, panel, runs):
    figures = panel.figures
    qtbot.mouseClick(figures.button, Qt.MouseButton.LeftButton)
    assert figures.table.isVisible()
    assert figures.table.columnCount() == 2
    show_other(qtbot, panel)
    heads = [figures.table.horizontalHeaderItem(i).text() for i in range(3)]
    assert heads == ["Figure", "this map", "row 2"]
    assert figures.table.horizontalHeaderItem(2).toolTip() == "<qt>t-SNE of pixels</qt>"
    named = {figures.table.item(i, 0).text(): i for i in range(figures.table.rowCount())}
    assert {"Silhouette", "Trustworthiness", "Continuity"} <= set(named)
    for folder, place in (("ours", 1), ("pixels", 2)):
        trust = Run.load(runs / folder).metrics["trustworthiness"]["mean"]
        assert figures.table.item(named["Trustworthiness"], place).text() == f"{trust:.3f}"


def test_a_ticked_map_lies_beside_this_one_in_the_same_colours(qtbot, viewer, panel, runs):
    other = show_other(qtbot, panel)
    points = viewer.layers[marks.MAP]
    np.testing.assert_array_equal(points.data, panel.workspace.embedding)
    low, high = points.data.min(axis=0), points.data.max(axis=0)
    other_low, other_high = other.data.min(axis=0), other.data.max(axis=0)
    assert (other_low > high).any() or (low > other_high).any()
    np.testing.assert_array_equal(other.face_color, points.face_color)
    saved = Run.load(runs / "pixels").embedding
    ratio = np.ptp(other.data, axis=0).max() / np.ptp(saved, axis=0).max()
    apart = np.linalg.norm(saved[1:] - saved[:-1], axis=1) * ratio
    shown = np.linalg.norm(np.diff(other.data, axis=0), axis=1)
    assert np.corrcoef(apart, shown)[0, 1] > 0.9999
    titles = list(viewer.layers[marks.TITLES].features["title"])
    assert titles[0].startswith("t-SimCNE, rotations\n15-NN ")
    assert titles[1].startswith("t-SNE of pixels\n15-NN ")
    canvas = viewer.window._qt_viewer.canvas.native
    where = to_canvas(viewer, np.concatenate([points.data, other.data]))
    assert (where > 0).all()
    assert (where < [canvas.width(), canvas.height()]).all()


def test_a_click_on_one_map_selects_on_all(qtbot, viewer, panel, hand):
    other, workspace = show_other(qtbot, panel), panel.workspace
    far = int(np.linalg.norm(other.data - other.data.mean(axis=0), axis=1).argmax())
    hand.click(other.data[far])
    assert workspace.selection.tolist() == [workspace.current]
    chosen = workspace.current
    # The picture that lies on top there is meant.
    reach = MapLayer.of(viewer).close_up.side / camera_of(viewer).zoom
    assert np.abs(other.data[chosen] - other.data[far]).max() <= reach / 2 * 1.02
    marked = viewer.layers[marks.SELECTED].data
    both = np.array([viewer.layers[marks.MAP].data[chosen], other.data[chosen]])
    np.testing.assert_allclose(marked, both, rtol=1e-5)
    ringed = np.unique(viewer.layers[marks.CURRENT].data, axis=0)
    np.testing.assert_allclose(ringed, both[np.lexsort(both.T[::-1])], rtol=1e-5)
    np.testing.assert_array_equal(other.face_color, viewer.layers[marks.MAP].face_color)
    hand.hover(other.data[chosen])
    assert words_on_card(MapLayer.of(viewer).mouse.overlay) != []


def test_a_lasso_around_the_other_map_takes_its_patches(qtbot, viewer, panel, hand):
    other = show_other(qtbot, panel)
    (top, left), bottom = other.data.min(axis=0) - 1, other.data[:, 0].max() + 1
    across = np.sort(other.data[:, 1])
    gap = int(np.diff(across)[10:-10].argmax()) + 10  # the line goes between two patches
    middle = float(across[gap : gap + 2].mean())
    hand.drag([(top, left), (top, middle), (bottom, middle), (bottom, left)], SHIFT)
    inside = np.flatnonzero(other.data[:, 1] < middle)
    np.testing.assert_array_equal(panel.workspace.selection, inside)


def test_unticking_and_deleting_take_a_map_away(qtbot, viewer, panel):
    show_other(qtbot, panel)
    tick(qtbot, panel, 1)
    qtbot.waitUntil(lambda: panel.workspace.compared == ())
    assert OTHER not in viewer.layers
    assert marks.TITLES not in viewer.layers
    other = show_other(qtbot, panel)
    viewer.layers.remove(other)
    qtbot.waitUntil(lambda: panel.workspace.compared == ())
    assert panel.table.item(1, 0).checkState() == Qt.CheckState.Unchecked
    assert marks.TITLES not in viewer.layers
    assert len(viewer.layers[marks.MAP].data) == 60


def test_a_hidden_map_is_not_clicked(qtbot, viewer, panel, hand):
    other = show_other(qtbot, panel)
    other.visible = False
    hand.click(other.data[5])
    assert panel.workspace.selection.size == 0


def test_the_marked_map_becomes_this_map(qtbot, viewer, panel, runs):
    show_other(qtbot, panel)
    panel.table.selectRow(1)
    qtbot.mouseClick(panel.open, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.workspace.run.folder.name == "pixels")
    wanted = Run.load(runs / "pixels").embedding
    np.testing.assert_array_equal(viewer.layers[marks.MAP].data, wanted)
    assert OTHER not in viewer.layers
    wanted = "t-SNE of pixels\nthis map · "
    qtbot.waitUntil(lambda: panel.table.item(0, 0).text().startswith(wanted))
    assert not panel.open.isEnabled()


def test_other_maps_make_room_for_a_training(qtbot, viewer, panel):
    show_other(qtbot, panel)
    panel.workspace.set_training(True)
    assert OTHER not in viewer.layers
    assert not panel.table.isEnabled()
    assert "put away" in panel.message.text
    panel.workspace.set_training(False)
    assert panel.table.isEnabled()


def test_other_patches_end_the_comparison(qtbot, viewer, panel):
    show_other(qtbot, panel)
    panel.workspace.set_patches(make_cells(30))
    assert panel.workspace.compared == ()
    assert [layer.name for layer in viewer.layers] == []


def test_a_run_from_elsewhere_is_dropped_on_the_panel(qtbot, viewer, panel, made):
    assert drop(panel, made / "solid" / "config.json")
    qtbot.waitUntil(lambda: len(panel.workspace.compared) == 1)
    assert panel.table.rowCount() == 3
    assert viewer.layers[f"{OTHER}, 3-D"].data.shape == (60, 2)
    assert viewer.dims.ndisplay == 2
    assert drop(panel, made / "others")
    qtbot.waitUntil(lambda: panel.message.text != "")
    assert "map of 45 patches, not of these 60" in panel.message.text
    assert panel.message.level == "error"
    assert len(panel.workspace.compared) == 1


def test_a_run_that_is_listed_already_is_ticked(qtbot, panel, runs):
    assert drop(panel, runs / "pixels")
    qtbot.waitUntil(lambda: len(panel.workspace.compared) == 1)
    assert panel.table.rowCount() == 2
    assert panel.table.item(1, 0).checkState() == Qt.CheckState.Checked
    assert drop(panel, runs / "ours")
    qtbot.waitUntil(lambda: panel.message.text == "This run is the map that is shown.")
    assert len(panel.workspace.compared) == 1


def test_table_and_picture_are_saved(qtbot, panel, tmp_path):
    show_other(qtbot, panel)
    panel.save_to(tmp_path / "out")
    qtbot.waitUntil(lambda: panel.message.text != "")
    assert panel.message.text == (
        f"Saved comparison.csv and comparison.png in {tmp_path / 'out'}."
    )
    table = pd.read_csv(tmp_path / "out" / "comparison.csv")
    assert table["map"].tolist() == ["t-SimCNE, rotations", "t-SNE of pixels"]


def test_colours_and_theme_follow(qtbot, viewer, panel):
    other = show_other(qtbot, panel)
    MapLayer.of(viewer).colour_by("")
    np.testing.assert_array_equal(other.face_color, viewer.layers[marks.MAP].face_color)
    viewer.theme = "light"
    np.testing.assert_allclose(viewer.layers[marks.TITLES].text.color.constant, [0, 0, 0, 1])


def test_maps_of_other_labels_are_not_compared_in_silence(qtbot, viewer, panel):
    def titles():
        return [" ".join(t.split()) for t in viewer.layers[marks.TITLES].features["title"]]

    show_other(qtbot, panel)
    assert panel.labels.isHidden()
    assert not any("label" in text for text in (panel.table.item(0, 0).text(), *titles()))
    panel.workspace.choose_label("frame")
    qtbot.waitUntil(lambda: not panel.labels.isHidden())
    assert "are not the same column (frame, given label)" in panel.labels.text
    assert panel.labels.level == "note"
    rows = [panel.table.item(row, 0).text() for row in range(2)]
    assert [text.rpartition(" · ")[2] for text in rows] == ["label frame", "label given label"]
    assert titles()[0].endswith("label frame")
    assert titles()[1].endswith(", label given label")
    assert OTHER in viewer.layers
    panel.workspace.choose_label("given label")
    qtbot.waitUntil(lambda: panel.labels.isHidden())
    assert not any("label" in text for text in titles())
