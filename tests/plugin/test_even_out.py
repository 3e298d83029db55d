"""Evening out a batch effect in the window: warned, done, told, and gone back from."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_patchmap.plugin.qt.docks import show_panel
from napari_patchmap.runs import Run, RunConfig, TrainConfig, find_maps
from napari_patchmap.training import fit
from tests.two_batches import two_by_two


@pytest.fixture
def opened(qtbot, viewer, workspace, tmp_path):
    """The Quality panel with a map of two slides, saved, and the run."""
    patches = two_by_two(120)
    patches.table["same"] = patches.table["label"]
    run = fit(patches, RunConfig(TrainConfig(method="pixels", device="cpu")))
    panel = show_panel(viewer, "quality")
    viewer.window.resize(1300, 1000)
    workspace.set_patches(patches)
    workspace.set_run(Run.load(run.save(tmp_path / "run")))
    click(qtbot, panel.checks["batch"].fold.button)
    return panel


def click(qtbot, widget):
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def test_a_batch_is_evened_out_and_the_map_before_comes_back(qtbot, workspace, opened):
    check, old = opened.checks["batch"], workspace.run
    box = check.evening
    # Who would lose the labels is warned, and may do it all the same.
    check.form.field("column").setCurrentText("same")
    click(qtbot, box.even)
    qtbot.waitUntil(lambda: "have one label" in box.said.text())
    assert box.even.text() == "Even it out all the same"
    assert workspace.run is old
    check.form.field("column").setCurrentText("slide")
    assert box.even.text() == "Even it out"
    assert box.said.text() == ""
    # Stopped, it leaves nothing.
    click(qtbot, box.even)
    assert not box.even.isEnabled()
    click(qtbot, box.work.button)
    assert not box.work.running
    assert box.even.isEnabled()
    # Done, the new map is there, and says what became of the slide and of the labels.
    click(qtbot, box.even)
    qtbot.waitUntil(lambda: workspace.run is not old)
    new = workspace.run
    assert new.evened_by == "slide"
    np.testing.assert_array_equal(workspace.embedding, new.embedding)
    assert box.said.text() == new.metrics["evened"]["said"]
    assert "slide told on the map: 100.0 % before" in box.numbers.text()
    assert "15-NN accuracy of features: " in box.numbers.text()
    assert f"Made of the run in {old.folder}" in box.numbers.text()
    assert check.said.text() == new.metrics["batch"]["said"]
    assert [one.folder for one in find_maps("discs and rings", 120)] == [new.folder]
    # The map before is a click away, and as it was.
    click(qtbot, box.back)
    assert workspace.run is old
    assert "evened" not in old.metrics
    assert not box.back.isVisible()
    workspace.set_run(Run.load(new.folder))
    assert box.said.text() == new.metrics["evened"]["said"]
    click(qtbot, box.even)
    qtbot.waitUntil(lambda: "evened out by slide already" in box.said.text())
