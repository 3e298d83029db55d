"""The "Train map" panel, with the real engine on a few dozen drawn cells."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from qtpy.QtCore import Qt, QTimer
from scipy.spatial.distance import pdist

from napari_patchmap.networks.backbones import Compact
from napari_patchmap.patches import PatchSet, from_array
from napari_patchmap.patches.box_table import box_table
from napari_patchmap.plugin.panels.load.load_patches import LoadPatches
from napari_patchmap.plugin.panels.train.live import times
from napari_patchmap.plugin.panels.train.plan_text import _PAUSE_MS
from napari_patchmap.plugin.panels.train.train_map import TrainMap
from napari_patchmap.plugin.qt.docks import dock_of
from napari_patchmap.runs import (
    Run,
    RunConfig,
    TrainConfig,
    is_unfinished,
    read_unfinished,
    runs_home,
)
from napari_patchmap.training import Progress, fit
from napari_patchmap.training.budget import estimate
from napari_patchmap.training.budget.speeds import speeds_file
from tests.conftest import make_cells
from tests.plugin.toy import click, trained

ONE_WINDOW = True

QUICK = {"device": "cpu", "epochs": (2, 1, 1), "batch_size": 20}
LONG = {**QUICK, "epochs": (1e5, 1, 1)}


@pytest.fixture
def panel(train_panel):
    return train_panel


def configure(panel, settings):
    panel.form.set_config(panel.form.config.replace(**settings))


def wait_for_a_map(qtbot, panel):
    """Wait for one that is learned; that of the pixels comes first."""
    space = panel.workspace
    qtbot.waitUntil(
        lambda: space.embedding is not None and not space.provisional, timeout=30_000
    )


def train(qtbot, panel, settings=QUICK):
    configure(panel, settings)
    click(panel.button)
    trained(qtbot, panel)


def test_patches_are_needed_first(qtbot, panel, cells):
    assert "Load patches first" in panel.missing
    panel.workspace.set_patches(cells)
    assert panel.missing == ""
    assert panel.button.isVisible()


def test_the_plan_is_shown_and_follows_the_settings(qtbot, panel, cells):
    panel.workspace.set_patches(cells)
    qtbot.waitUntil(lambda: "60 patches at 16 x 16 px" in panel.plan.text())
    minutes = panel.form.field("minutes")
    minutes.setValue(2)
    qtbot.waitUntil(lambda: "2 min 00 s in all" in panel.plan.text())


def test_who_opens_a_map_has_no_plan_made_until_they_look_at_the_panel(qtbot, panel, cells):
    dock = dock_of(panel)
    dock.hide()
    panel.workspace.set_patches(cells)
    panel.workspace.set_run(fit(cells, RunConfig(TrainConfig(method="pixels", device="cpu"))))
    qtbot.wait(2 * _PAUSE_MS)
    assert panel.plan.text() == ""  # it would be "Estimating…" by now
    dock.show()
    qtbot.waitUntil(lambda: "60 patches at 16 x 16 px" in panel.plan.text())


def test_a_run_ends_with_a_map_a_folder_and_a_curve(qtbot, panel, cells):
    panel.workspace.set_patches(cells)
    train(qtbot, panel)
    run = panel.workspace.run
    assert run.complete
    np.testing.assert_array_equal(panel.workspace.embedding, run.embedding)
    assert "map" in panel.viewer.layers
    assert len(panel.viewer.layers["map"].data) == 60
    assert run.folder.is_dir()
    np.testing.assert_allclose(Run.load(run.folder).embedding, run.embedding, atol=1e-4)
    assert panel.result.where.toolTip() == str(run.folder)
    assert panel.result.open.isVisible()
    assert {stage for stage, *_ in panel.live.curve.points} <= {1, 2, 3}
    assert len(panel.live.curve.points) > 0
    assert panel.live.curve.isVisible()
    assert panel.button.text() == "Start training"
    assert panel.button.isEnabled()


def test_the_plan_that_was_made_at_the_start_is_shown(qtbot, panel, cells):
    panel.workspace.set_patches(cells)
    train(qtbot, panel)  # before the estimate was there
    said = panel.plan.text()
    assert "4 epochs" in said
    assert "CPU, 1 thread" in said
    assert panel.workspace.run.info["plan"]["steps"] == [6, 3, 3]


def test_the_window_stays_alive_and_the_map_moves(qtbot, panel, cells):
    panel.workspace.set_patches(cells)
    ticks, maps = [], []
    timer = QTimer(interval=10)
    timer.timeout.connect(lambda: ticks.append(1))
    panel.workspace.map_changed.connect(maps.append)
    configure(panel, LONG)
    click(panel.button)
    assert panel.button.text() == "Cancel"
    assert not panel.form.isEnabled()
    timer.start()
    # The window's own thread gets its turn again and again, whatever the training does.
    qtbot.waitUntil(lambda: len(maps) >= 2 and len(ticks) > 50, timeout=60_000)
    timer.stop()
    assert panel.button.text() == "Cancel"
    assert "Stage 1 of 3" in panel.live.phase.text()
    assert "left" in panel.live.times.text()
    click(panel.button)
    trained(qtbot, panel)


def test_cancel_keeps_what_was_learned(qtbot, panel, cells):
    panel.workspace.set_patches(cells)
    configure(panel, LONG)
    click(panel.button)
    wait_for_a_map(qtbot, panel)
    click(panel.button)
    assert panel.button.text() == "Stop now, without a map"
    trained(qtbot, panel)
    run = panel.workspace.run
    assert not run.complete
    assert run.embedding.shape == (60, 2)
    assert np.isfinite(run.embedding).all()
    assert not Run.load(run.folder).complete
    assert "Cancelled" in panel.message.text
    assert panel.button.text() == "Start training"
    train(qtbot, panel)
    assert panel.workspace.run.complete


def test_stop_now_waits_for_no_map_and_can_be_resumed(qtbot, panel, cells):
    panel.workspace.set_patches(cells)
    configure(panel, {**LONG, "checkpoint_every": 0.0})
    click(panel.button)
    wait_for_a_map(qtbot, panel)
    panel.cancel()
    click(panel.button)
    assert not panel.button.isEnabled()
    trained(qtbot, panel)
    assert panel.workspace.run is None
    assert panel.message.level == "note"
    assert "no map" in panel.message.text
    qtbot.waitUntil(lambda: panel.unfinished.offered is not None, timeout=10_000)


def test_a_training_gets_five_minutes_unless_the_person_says_otherwise(panel):
    assert panel.config.train.minutes == 5
    assert panel.config.train.epochs is None


def test_patches_that_cannot_be_mapped_are_one_sentence(qtbot, panel):
    same = from_array(np.full((40, 16, 16), 7, np.uint8), name="grey squares")
    panel.workspace.set_patches(same)
    train(qtbot, panel)
    assert panel.message.level == "error"
    assert "identical" in panel.message.text
    assert "\n" not in panel.message.text
    assert panel.workspace.run is None
    panel.workspace.set_patches(make_cells())
    assert panel.message.text == ""
    train(qtbot, panel)
    assert panel.workspace.run is not None


def test_running_out_of_memory_leaves_the_panel_ready(qtbot, panel):
    # Far more pixels than any memory; numpy refuses as soon as somebody copies them.
    pixel = np.zeros((1, 1, 1, 1), np.uint8)
    count, side = 60, 10**6
    table = box_table("huge", np.arange(count), np.full((count, 2), side))
    huge = PatchSet(
        np.broadcast_to(pixel, (count, side, side, 1)), table, ("grey",), name="huge"
    )
    panel.workspace.set_patches(huge)
    train(qtbot, panel)
    assert panel.message.level == "error"
    assert "memory" in panel.message.text
    assert "\n" not in panel.message.text
    assert panel.button.text() == "Start training"
    assert panel.button.isEnabled()


def test_an_unwritable_place_keeps_the_run(qtbot, panel, cells, tmp_path, monkeypatch):
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    monkeypatch.setenv("XDG_DATA_HOME", str(blocked))
    panel.workspace.set_patches(cells)
    train(qtbot, panel)
    assert panel.message.level == "error"
    assert "kept here" in panel.message.text
    assert panel.workspace.run is not None
    assert not panel.result.open.isVisible()
    panel.result.save_run(tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / "embedding.csv").is_file()
    assert panel.result.open.isVisible()


def test_the_embedding_is_saved_as_napari_reads_it(qtbot, panel, cells, tmp_path):
    panel.workspace.set_patches(cells)
    train(qtbot, panel)
    panel.result.save_csv(tmp_path / "map")
    table = pd.read_csv(tmp_path / "map.csv")
    assert list(table.columns[:3]) == ["index", "axis-0", "axis-1"]
    (layer,) = panel.viewer.open(tmp_path / "map.csv")
    np.testing.assert_allclose(layer.data, panel.workspace.embedding, atol=1e-4)
    assert list(layer.features["label"]) == list(cells.table["label"])
    # The dialog asked about "map" and not about the file that this would replace.
    panel.result.save_csv(tmp_path / "map")
    assert "map.csv is there already" in panel.message.text
    panel.result.save_csv(tmp_path / "map.csv")
    assert panel.message.text == f"Saved {tmp_path / 'map.csv'}."
    panel.result.save_csv(tmp_path / "no" / "such" / "folder.csv")
    assert panel.message.level == "error"
    panel.result.save_run(tmp_path)
    assert "not empty" in panel.message.text


def test_other_patches_never_get_this_runs_map(qtbot, panel, cells):
    panel.workspace.set_patches(cells)
    configure(panel, LONG)
    click(panel.button)
    wait_for_a_map(qtbot, panel)
    others = make_cells(33, seed=1)
    panel.workspace.set_patches(others)
    click(panel.button)
    trained(qtbot, panel)
    assert panel.workspace.patches is others
    assert panel.workspace.embedding is None
    assert panel.workspace.run is None
    assert "Other patches were loaded" in panel.message.text


def test_loading_is_refused_meanwhile(qtbot, panel, cells):
    panel.workspace.set_patches(cells)
    load = LoadPatches(panel.viewer)
    panel.viewer.window.add_dock_widget(load, name="Load")
    configure(panel, LONG)
    click(panel.button)
    load.source.choose("sample")
    load.load()
    assert "being trained" in load.message.text
    click(panel.button)
    trained(qtbot, panel)
    assert panel.workspace.patches is cells


@pytest.mark.usefixtures("make_napari_viewer")
def test_a_closed_window_leaves_a_training_that_can_be_resumed(qtbot, panel, cells, tasks):
    panel.workspace.set_patches(cells)
    workspace = panel.workspace
    configure(panel, LONG)
    click(panel.button)
    wait_for_a_map(qtbot, panel)
    panel.viewer.close()
    qtbot.waitUntil(lambda: not any(task.running for task in tasks), timeout=20_000)
    assert not workspace.training
    # Nobody waits for a map of what was learned, and nothing of it is lost.
    (saved,) = runs_home().iterdir()
    assert is_unfinished(saved)
    assert read_unfinished(saved).config == panel.config


@pytest.fixture
def held(monkeypatch):
    """Hold the first pass of a network until ``go``; ``passes`` are all that are made."""
    monkeypatch.setattr(estimate, "_HOLDS", -1.0)  # what was measured before does not count
    held = SimpleNamespace(begun=threading.Event(), go=threading.Event(), passes=[])

    def hold(module, _):
        if isinstance(module, Compact):
            held.passes.append(module)
            held.begun.set()
            held.go.wait(60)

    handle = torch.nn.modules.module.register_module_forward_pre_hook(hold)
    yield held
    held.go.set()
    handle.remove()


@pytest.mark.usefixtures("make_napari_viewer")
def test_a_window_closed_while_a_training_is_planned(qtbot, panel, cells, tasks, held, caplog):
    panel.workspace.set_patches(cells)
    qtbot.waitUntil(held.begun.is_set)
    panel.viewer.close()
    held.go.set()
    qtbot.waitUntil(lambda: not any(task.running for task in tasks))
    assert len(held.passes) == 1  # nothing more is measured that nobody will hear of
    assert not speeds_file().exists()
    assert [record for record in caplog.records if record.exc_info] == []


def test_cancelling_while_a_training_is_planned_makes_no_map(qtbot, panel, cells, held):
    panel.workspace.set_patches(cells)
    configure(panel, LONG)
    click(panel.button)
    qtbot.waitUntil(held.begun.is_set)
    click(panel.button)
    held.go.set()
    qtbot.waitUntil(lambda: not panel.workspace.training)
    assert panel.message.text.startswith("Stopped before there was a map")
    assert panel.workspace.run is None
    assert not any(runs_home().glob("*/config.json"))


def test_closing_the_panel_ends_the_training(qtbot, panel, cells):
    panel.workspace.set_patches(cells)
    viewer, workspace = panel.viewer, panel.workspace
    configure(panel, LONG)
    click(panel.button)
    wait_for_a_map(qtbot, panel)
    viewer.window.remove_dock_widget(dock_of(panel))
    again = TrainMap(viewer)
    viewer.window.add_dock_widget(again, name="Train again")
    assert not again.button.isEnabled()
    qtbot.waitUntil(lambda: not workspace.training, timeout=10_000)
    assert again.button.isEnabled()
    assert again.result.isVisible()
    assert not workspace.run.complete


def test_times_are_said_in_words():
    report = Progress("stage", epoch=3.21, epochs=12, fraction=0.3, seconds_left=200)
    assert times(report) == ["epoch 3.21 of 12", "3 min 20 s left"]
    assert "estimating the time left" in times(Progress("stage"))
    few = Progress("stage", epoch=1234.5, epochs=19_200, fraction=0.3)  # of 26 patches
    assert times(few) == ["epoch 1,234 of 19,200"]


def test_the_curve_keeps_stages_apart_and_forgets_nothing_new(qtbot):
    from napari_patchmap.plugin.panels.train.loss_curve import LossCurve

    curve = LossCurve()
    qtbot.addWidget(curve)
    curve.resize(300, 118)
    curve.add(1, 0.0, float("nan"))
    assert curve.points == []
    for i in range(5000):
        curve.add(1 + i // 2500, i / 5000, 5 - i / 5000)
    assert len(curve.points) < 1500
    assert curve.points[-1] == (2, 4999 / 5000, 5 - 4999 / 5000)
    assert {stage for stage, *_ in curve.points} == {1, 2}
    linear = curve.grab().toImage()
    qtbot.mouseClick(curve, Qt.MouseButton.LeftButton)
    assert "Click for a linear axis" in curve.toolTip()
    assert curve.grab().toImage() != linear


def test_a_map_is_laid_out_again_as_a_run_of_its_own(qtbot, panel, cells):
    panel.workspace.set_patches(cells)
    train(qtbot, panel)
    first = panel.workspace.run
    configure(panel, {"last_exaggeration": 2.0, "perplexity": 12.0})
    qtbot.mouseClick(panel.result.again, Qt.MouseButton.LeftButton)
    assert panel.workspace.training
    assert panel.button.text() == "Cancel"
    trained(qtbot, panel)
    assert not panel.live.curve.isVisible()  # nothing was learned
    assert panel.live.phase.text().startswith("Done in")
    run = panel.workspace.run
    assert run is not first
    assert run.layout == "tsne"
    assert (run.config.train.last_exaggeration, run.config.train.perplexity) == (2.0, 12.0)
    assert run.config.train.epochs == first.config.train.epochs
    np.testing.assert_array_equal(run.features, first.features)
    # It is shown turned onto the map that it follows: the same distances.
    shown = panel.viewer.layers["map"].data
    np.testing.assert_allclose(pdist(shown), pdist(run.embedding), rtol=1e-3, atol=1e-3)
    assert run.folder != first.folder
    assert Run.load(run.folder).layout == "tsne"
    assert Run.load(first.folder).layout == "network"


def test_laying_out_again_can_be_cancelled(qtbot, panel):
    many = make_cells(600)
    panel.workspace.set_patches(many)
    train(qtbot, panel, {**QUICK, "epochs": (0.2, 0.2, 0.2), "batch_size": 120})
    maps = []
    panel.workspace.map_changed.connect(maps.append)
    qtbot.mouseClick(panel.result.again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "iterations" in panel.live.phase.text(), timeout=30_000)
    click(panel.button)
    trained(qtbot, panel)
    assert not panel.workspace.run.complete
    assert "Cancelled" in panel.message.text
    assert np.isfinite(panel.workspace.run.embedding).all()


def test_networks_are_suggested_by_kind_of_picture_and_a_click_takes_one(qtbot, panel, cells):
    panel.workspace.set_patches(cells)
    assert panel.networks.isHidden()
    configure(panel, {"method": "pretrained", "backbone": None})
    panel._describe()
    assert not panel.networks.isHidden()
    listed = panel.networks.list
    panel.networks.kind.setCurrentText("tissue")
    texts = [listed.item(row).text() for row in range(listed.count())]
    assert any("H0-mini: 343 MB, cc-by-nc-nd-4.0, ask first" in text for text in texts)
    panel.networks.kind.setCurrentText("anything")
    row = next(r for r in range(listed.count()) if "ResNet18" in listed.item(r).text())
    # What it takes here is tried meanwhile, and said.
    qtbot.waitUntil(lambda: "for 1,000 patches" in listed.item(row).text(), timeout=60_000)
    listed.itemClicked.emit(listed.item(row))
    assert panel.form.config.backbone == "resnet18"
    # The list stays where it is and shows it.
    assert listed.currentItem() is listed.item(row)
    assert panel.form.more.body.isHidden()
    qtbot.waitUntil(lambda: not panel.plan._plans.busy, timeout=60_000)
    configure(panel, {"method": "pixels", "backbone": None})
    panel._describe()
    assert panel.networks.isHidden()
