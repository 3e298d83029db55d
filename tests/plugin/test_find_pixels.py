"""Duplicates pair by pair and odd patches by reason, in the tab "Find", by real clicks."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_patchmap.patches import PatchSet, from_array
from napari_patchmap.plugin.qt.docks import show_panel
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.training import fit
from tests.find.test_duplicates import textures
from tests.find.test_odd import FAULTS

ONE_WINDOW = True

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module")
def planted() -> tuple[PatchSet, Run]:
    """60 pictures: three of one, two of another with two labels, one half white."""
    pixels = textures(60)
    pixels[20], pixels[30], pixels[40] = pixels[10], np.rot90(pixels[10]), pixels[50]
    pixels[7] = FAULTS["saturated"](pixels[7])
    labels = np.full(60, "monocyte", object)
    labels[50] = "platelet"
    cells = from_array(pixels, name="planted")
    cells = dataclasses.replace(cells, table=cells.table.assign(label=labels))
    return cells, fit(cells, RunConfig(TrainConfig(method="pixels", device="cpu")))


@pytest.fixture
def panel(qtbot, viewer, workspace, planted):
    cells, run = planted
    panel = show_panel(viewer, "find")
    viewer.window.resize(1300, 1000)
    workspace.set_patches(cells)
    workspace.set_run(dataclasses.replace(run, found={}))
    return panel


def find(qtbot, box) -> None:
    qtbot.mouseClick(box.fold.button, LEFT)
    qtbot.mouseClick(box.begin, LEFT)
    qtbot.waitUntil(lambda: not box.work.running and box.found is not None, timeout=60_000)


def test_pairs_one_after_the_other_and_one_of_each_is_kept(
    qtbot, workspace, panel, tmp_path, monkeypatch
):
    box = panel.boxes["duplicates"]
    find(qtbot, box)
    assert box.names.text() == "Labels differ: monocyte, platelet"
    assert box.reason.text() == "1.000: same pixels"
    assert not box.left.pixmap().isNull()
    assert not box.right.pixmap().isNull()
    assert not box.before.isEnabled()
    qtbot.mouseClick(box.mark, LEFT)
    assert workspace.selection.tolist() == [40, 50]
    qtbot.mouseClick(box.after, LEFT)
    assert box.place.text() == "2 of 3"
    qtbot.mouseClick(box.after, LEFT)
    assert "turned by 90 degrees" in box.reason.text()
    assert not box.after.isEnabled()
    assert workspace.current in {10, 20, 30}
    qtbot.mouseClick(box.spare, LEFT)
    qtbot.waitUntil(lambda: workspace.selection.tolist() == [20, 30, 50])
    assert "3 copies are selected" in box.said.text()
    assert panel.leave_out.leave.isEnabled()
    path = tmp_path / "list.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    qtbot.mouseClick(box.save, LEFT)
    assert pd.read_csv(path)["index"].tolist() == box.found.listed["index"].tolist()
    assert (workspace.table["found: duplicates"] != "").sum() == 5


def test_images_that_another_set_has_too_stand_beside_each_other(
    qtbot, panel, tmp_path, monkeypatch
):
    box = panel.boxes["duplicates"]
    theirs = textures(30, seed=3)
    theirs[4] = textures(60)[33]
    (tmp_path / "others").mkdir()
    for k, one in enumerate(theirs):
        Image.fromarray(one).save(tmp_path / "others" / f"test{k:02d}.png")
    chosen = iter([tmp_path / "nowhere", tmp_path / "others"])
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(next(chosen)))
    qtbot.mouseClick(box.fold.button, LEFT)
    qtbot.mouseClick(box.second.folder, LEFT)
    qtbot.mouseClick(box.begin, LEFT)
    qtbot.waitUntil(lambda: "nowhere" in box.said.text())
    qtbot.mouseClick(box.second.folder, LEFT)
    assert box.second.said.text() == "others"
    qtbot.mouseClick(box.begin, LEFT)
    qtbot.waitUntil(lambda: not box.work.running and box.found is not None, timeout=60_000)
    assert box.said.text().startswith("1 of 60 patches are among the 30 others")
    assert box.names.text() == "Among the others: test04.png"
    assert box.left.isVisible()
    assert not box.spare.isVisible()
    qtbot.waitUntil(
        lambda: box.left.pixmap().toImage() == box.right.pixmap().toImage(), timeout=10_000
    )
    qtbot.mouseClick(box.second.none, LEFT)
    qtbot.mouseClick(box.begin, LEFT)
    qtbot.waitUntil(lambda: not box.work.running and "index there" not in box.found.listed)
    assert box.spare.isVisible()


def test_odd_ones_of_a_reason_are_selected_the_oddest_first(qtbot, workspace, panel):
    box = panel.boxes["odd"]
    box.form._fields["share"].widget.setValue(4)
    find(qtbot, box)
    reasons = [box.reason.itemData(at) for at in range(box.reason.count())]
    assert reasons[0] == ""
    assert "saturated" in reasons
    box.reason.setCurrentIndex(reasons.index("saturated"))
    box.count.setValue(1)
    qtbot.mouseClick(box.first, LEFT)
    assert workspace.selection.tolist() == [7]
    assert workspace.table["found: oddness"][7] > 0.9
    box.reason.setCurrentIndex(0)
    box.count.setValue(10)
    qtbot.mouseClick(box.first, LEFT)
    assert 7 in workspace.selection
    assert len(workspace.selection) == min(10, len(box.odd_rows()))
