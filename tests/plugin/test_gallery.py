"""The gallery: the selection as pictures."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.image import imread
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QLabel

from napari_patchmap.plugin.canvas.two_views import camera_of
from napari_patchmap.plugin.map.marks import CURRENT
from tests.plugin.toy import group, toy_map, toy_patches

ONE_WINDOW = True


def header(gallery) -> str:
    """Return the sentence above the pictures."""
    return gallery.findChild(QLabel).text()


def cell(gallery, row):
    """Return the middle of a cell of the grid."""
    return gallery.grid.visualRect(gallery.grid.model().index(row, 0)).center()


def test_gallery_shows_the_selection_and_counts_it(gallery, workspace):
    assert "Nothing selected" in header(gallery)
    assert gallery.grid.model().rowCount() == 120  # something to look at already
    workspace.select(np.array([5, 61, 62]))
    assert gallery.grid.patches.indices.tolist() == [5, 61, 62]
    assert "3 of 120 selected" in header(gallery)
    assert header(gallery).index("spiky&nbsp;2") < header(gallery).index("round&nbsp;1")
    workspace.undo()
    assert "Nothing selected" in header(gallery)


def test_click_and_arrow_keys_look_at_patches_on_the_map(viewer, gallery, workspace, qtbot):
    workspace.select(group("spiky"))
    QApplication.processEvents()
    viewport = gallery.grid.viewport()
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=cell(gallery, 2))
    assert workspace.current == 62
    np.testing.assert_array_equal(viewer.layers[CURRENT].data[0], toy_map()[62])
    qtbot.keyClick(gallery.grid, Qt.Key.Key_Right)
    assert workspace.current == 63
    assert len(workspace.selection) == 40


def test_double_click_centres_the_map_on_the_patch(viewer, gallery, workspace, qtbot):
    workspace.select(group("empty"))
    QApplication.processEvents()
    before = camera_of(viewer).zoom
    viewport, middle = gallery.grid.viewport(), cell(gallery, 1)
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=middle)
    place = toy_map()[group("empty")[1]]
    np.testing.assert_allclose(camera_of(viewer).center[-2:], place, atol=1e-3)
    assert camera_of(viewer).zoom > before


def test_a_patch_clicked_on_the_map_is_scrolled_to(gallery, workspace, hand, qtbot):
    gallery.thumbnail_size.setValue(160)
    workspace.select(np.arange(120))
    workspace.set_current(119)
    QApplication.processEvents()
    index = gallery.grid.currentIndex()
    assert index.row() == 119
    assert gallery.grid.viewport().rect().intersects(gallery.grid.visualRect(index))
    assert len(workspace.selection) == 120


def test_undo_and_escape_work_with_the_focus_in_the_gallery(gallery, workspace, qtbot):
    workspace.select(group("spiky"))
    workspace.select(group("empty"))
    gallery.grid.setFocus()
    qtbot.keyClick(gallery.grid, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    np.testing.assert_array_equal(workspace.selection, group("spiky"))
    qtbot.keyClick(gallery.grid, Qt.Key.Key_Escape)
    assert workspace.selection.size == 0


def test_tooltip_tells_all_the_table_knows(gallery, workspace):
    workspace.select(np.array([61]))
    index = gallery.grid.model().index(0, 0)
    text = index.data(Qt.ItemDataRole.ToolTipRole)
    for words in ("spiky", "toy.tif", "61", "area"):
        assert words in text


def test_saved_selection_opens_as_napari_points(viewer, gallery, workspace, tmp_path):
    workspace.select(np.array([62, 5]))
    gallery.save.save_csv(tmp_path / "some.csv")
    table = pd.read_csv(tmp_path / "some.csv")
    assert list(table.columns[:3]) == ["index", "axis-0", "axis-1"]
    assert table["index"].tolist() == [5, 62]
    assert table["label"].tolist() == ["round", "spiky"]
    (layer,) = viewer.open(tmp_path / "some.csv", plugin="napari", layer_type="points")
    np.testing.assert_allclose(layer.data, toy_map()[[5, 62]])
    assert list(layer.features["label"]) == ["round", "spiky"]


def test_unwritable_csv_is_one_sentence(gallery, workspace, tmp_path):
    heard = []
    workspace.status_changed.connect(heard.append)
    gallery.save.save_csv(tmp_path / "no such folder" / "some.csv")
    assert len(heard) == 1
    assert "cannot be written" in heard[0]


def save_sheet(qtbot, gallery, path) -> None:
    gallery.save.save_sheet(path)
    qtbot.waitUntil(lambda: not gallery.save.reading.running)


def test_contact_sheet_is_written_as_a_picture(qtbot, gallery, shown_map, workspace, tmp_path):
    workspace.select(group("empty"))
    save_sheet(qtbot, gallery, tmp_path / "sheet.png")
    picture = imread(tmp_path / "sheet.png")
    assert picture.shape[:2] == (4 * 71 + 3, 6 * 71 + 3)
    # 20 patches in 6 columns: the first frame has the colour of its class on the map
    np.testing.assert_allclose(
        picture[4, 40, :3], shown_map.colouring.colours[100, :3], atol=0.01
    )


def test_a_contact_sheet_replaces_nothing_by_halves(qtbot, gallery, workspace, tmp_path):
    heard = []
    workspace.status_changed.connect(heard.append)
    workspace.select(group("empty"))
    save_sheet(qtbot, gallery, tmp_path / "sheet")
    assert heard[-1] == f"Saved {tmp_path / 'sheet.png'}."
    before = (tmp_path / "sheet.png").read_bytes()
    workspace.select(group("spiky"))
    save_sheet(qtbot, gallery, tmp_path / "sheet")
    assert "sheet.png is there already" in heard[-1]
    save_sheet(qtbot, gallery, tmp_path / "sheet.nonsense")
    assert "choose a name with .png at the end" in heard[-1]
    save_sheet(qtbot, gallery, tmp_path / "none" / "sheet.png")
    assert "cannot be written" in heard[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]
    assert (tmp_path / "sheet.png").read_bytes() == before
    save_sheet(qtbot, gallery, tmp_path / "sheet.jpg")
    assert (tmp_path / "sheet.jpg").read_bytes()[:3] == b"\xff\xd8\xff"


def test_gallery_survives_other_patches_and_its_own_end(viewer, gallery, workspace, qtbot):
    workspace.set_patches(None)
    assert "No patches yet" in header(gallery)
    viewer.window.remove_dock_widget(gallery)
    gallery.deleteLater()
    qtbot.wait(20)
    workspace.set_patches(toy_patches())
    workspace.set_embedding(toy_map())
    workspace.select(group("spiky"))
    workspace.set_current(3)
