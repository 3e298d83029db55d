"""Which column is the label can be seen and changed, before there is a map and after."""

import dataclasses

import imagecodecs
import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QInputDialog

from napari_patchmap.errors import PatchError
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.explore.explore import Explore
from napari_patchmap.plugin.panels.explore.gallery import Gallery
from napari_patchmap.plugin.panels.quality.quality import Quality
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.training import fit
from tests.conftest import make_cells
from tests.plugin.toy import click

ONE_WINDOW = True


@pytest.fixture
def splits(tmp_path):
    root = tmp_path / "set"
    for i, name in enumerate(("train/lymph", "train/mono", "test/lymph")):
        (root / name).mkdir(parents=True)
        data = imagecodecs.png_encode(np.full((8, 8), 9 * i, np.uint8))
        (root / name / f"{i}.png").write_bytes(data)
    return root


def choose(qtbot, box, name):
    """Go to an entry of a list by keys."""
    box.setFocus()
    while box.currentText() != name:
        before = box.currentIndex()
        QTest.keyClick(box, Qt.Key.Key_Down)
        if box.currentIndex() == before:
            QTest.keyClick(box, Qt.Key.Key_Home)


def test_the_label_is_shown_and_another_column_can_be_chosen(qtbot, load_panel, splits):
    panel = load_panel
    panel.source.choose("folder", splits)
    panel.load()
    qtbot.waitUntil(
        lambda: panel.workspace.patches is not None and not panel.loading, timeout=20_000
    )
    choice = panel.summary.label_choice
    assert choice.isVisible()
    assert choice.box.currentText() == "folder"
    assert "'split'" in panel.summary.notes.text()
    choose(qtbot, choice.box, "split")
    patches = panel.workspace.patches
    assert patches.labels.tolist() == ["test", "train", "train"]
    assert patches.origin["label_column"] == "split"
    assert patches.table["folder"].tolist() == ["lymph", "lymph", "mono"]
    assert choice.box.currentText() == "split"
    choose(qtbot, choice.box, "folder")
    assert panel.workspace.patches.labels.tolist() == ["lymph", "lymph", "mono"]


@pytest.fixture
def of_patients(viewer, workspace):
    """A map of cells with a column beside the label, and panels that show it."""
    cells = make_cells(60)
    cells.table["patient"] = np.where(np.arange(60) % 2, "p1", "p2")
    cells = dataclasses.replace(cells, label_from="kind")
    run = fit(cells, RunConfig(TrainConfig(method="pixels", device="cpu")))
    panels = {}
    for make in (Explore, Quality, Gallery):
        panels[make] = make(viewer)
        viewer.window.add_dock_widget(panels[make])
    workspace.set_patches(cells)
    workspace.set_run(run)
    return run, panels


def choices(box):
    return [box.box.itemText(at) for at in range(box.box.count())]


def test_another_label_colours_and_measures_the_map_that_is_open(
    qtbot, viewer, workspace, of_patients, tmp_path
):
    run, panels = of_patients
    run.save(tmp_path / "run")
    owner, explore, quality = MapLayer.of(viewer), panels[Explore], panels[Quality]
    workspace.select(np.arange(7))
    before, known = owner.points, run.metrics["trustworthiness"]
    assert choices(explore.label_box) == ["kind", "patient"]
    choose(qtbot, explore.label_box.box, "patient")
    assert owner.points is before
    assert workspace.selection.tolist() == list(range(7))
    assert set(owner.colouring.names) == {"p1", "p2"}
    legend = explore.legend
    shown = {legend.topLevelItem(row).text(0) for row in range(legend.topLevelItemCount())}
    assert shown == {"p1", "p2"}
    assert set(owner.points.features["label"]) == {"p1", "p2"}
    assert set(owner.points.features["kind"]) == {"spot", "ring", "bar"}
    assert workspace.table["label"].tolist() == list(run.labels)
    qtbot.waitUntil(lambda: "knn" in run.metrics)
    assert set(run.metrics["knn"]["per_class"]) == {"p1", "p2"}
    assert run.metrics["trustworthiness"] == known
    assert quality.heading.text() == "Label by label: patient"
    assert choices(quality.label_box)[0] == "patient"
    again = Run.load(tmp_path / "run")
    assert again.label_from == "patient"
    assert again.metrics["knn"] == run.metrics["knn"]


def test_answers_of_the_label_before_say_so(qtbot, viewer, workspace, of_patients):
    _, panels = of_patients
    box = panels[Quality].checks["label_curve"]
    box.form.set_config(dataclasses.replace(box.form.config, repeats=1))
    box.start()
    qtbot.waitUntil(lambda: box.found is not None and not box.work.running)
    assert "of the label" not in box.said.text()
    workspace.choose_label("patient")
    assert box.said.text().startswith("This is of the label kind; the label is patient now")
    workspace.choose_label("kind")
    assert "of the label" not in box.said.text()


def test_what_makes_no_label_changes_nothing(viewer, workspace, of_patients):
    run, _ = of_patients
    with pytest.raises(PatchError, match="has no column 'grade'"):
        workspace.choose_label("grade")
    workspace.set_training(True)
    with pytest.raises(PatchError, match="A map is being trained"):
        workspace.choose_label("patient")
    workspace.set_training(False)
    assert run.label_from == workspace.patches.label_from == "kind"


def test_a_label_may_be_taken_from_the_names_of_files(
    viewer, workspace, of_patients, monkeypatch
):
    _, panels = of_patients
    sources = [f"{'ab'[row % 2]}_{row}.png" for row in range(60)]
    workspace.patches.table["source"] = workspace.run.table["source"] = sources
    panels[Explore].label_box.show_choices()
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: ("{label}_{}.png", True))
    box = panels[Explore].label_box.box
    box.setCurrentIndex(box.count() - 1)
    box.activated.emit(box.count() - 1)
    assert set(workspace.patches.labels) == {"a", "b"}
    assert box.currentText() == "{label}_{}.png"


def pick(box, name):
    """Open a list, go to an entry and press Enter: nothing on the way is chosen."""
    box.showPopup()
    box.view().setCurrentIndex(box.model().index(box.findText(name), 0))
    QTest.keyClick(box.view(), Qt.Key.Key_Return)


def test_an_annotation_made_before_there_is_a_map_can_be_its_label(
    qtbot, load_panel, viewer, tmp_path
):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (12, 2, 9, 9)).astype(np.uint8)
    np.save(tmp_path / "stack.npy", pixels)
    panel, workspace = load_panel, load_panel.workspace
    gallery = Gallery(viewer)
    viewer.window.add_dock_widget(gallery)
    panel.source.choose("stack", tmp_path / "stack.npy")
    panel.source.axes.setCurrentText("NCYX")
    panel.load()
    qtbot.waitUntil(lambda: workspace.patches is not None and not panel.loading)
    box = panel.summary.label_choice
    assert not box.isVisible()
    annotations = workspace.annotations
    annotations = annotations.put(annotations.now.with_class("blast").with_class("other"))
    workspace.set_annotations(annotations)
    for rows, at in ((np.arange(6), 0), (np.arange(6, 11), 1)):
        workspace.annotate(rows, at)
    assert box.isVisible()
    pick(box.box, "annotation (annotation)")
    named = ["blast"] * 6 + ["other"] * 5 + [""]
    assert workspace.patches.labels.tolist() == named
    assert panel.summary.labels_heading.text() == "2 labels"
    # Other channels are the same patches: they keep what they are called.
    channels = panel.summary.channels
    channels.boxes[1].click()
    click(channels.button)
    qtbot.waitUntil(lambda: workspace.patches.channels == 1)
    assert workspace.patches.labels.tolist() == named
    assert workspace.annotations.now.names.tolist() == named
    run = fit(workspace.patches, RunConfig(TrainConfig(method="pixels", device="cpu")))
    workspace.set_run(run)
    assert run.metrics["labelled"] == 11
    run.save(tmp_path / "run")
    again = Run.load(tmp_path / "run")
    assert [label or "" for label in again.labels] == named
    assert again.label_from == box.box.currentText()


def test_an_annotation_can_be_the_label(viewer, workspace, of_patients, tmp_path):
    run, panels = of_patients
    run.save(tmp_path / "run")
    box, owner = panels[Explore].label_box, MapLayer.of(viewer)
    annotations = workspace.annotations
    workspace.set_annotations(annotations.put(annotations.now.with_class("blast")))
    assert choices(box) == ["kind", "patient"]  # nothing has the class yet
    workspace.annotate(np.arange(20), 0)
    assert choices(box) == ["kind", "patient", "annotation (annotation)"]
    pick(box.box, "annotation (annotation)")
    assert workspace.patches.labels.tolist() == ["blast"] * 20 + [""] * 40
    assert list(run.labels) == workspace.patches.labels.tolist()
    assert workspace.patches.origin.get("label_column") != "annotation"
    assert box.box.currentText().startswith("annotation (annotated, ")
    assert "blast" in owner.colouring.names
    assert Run.load(tmp_path / "run").label_from == run.label_from
    # It stays as it was, is taken anew when it is chosen again, and goes as a label alone.
    workspace.annotate(np.arange(30), 0)
    assert workspace.patches.labels.tolist() == ["blast"] * 20 + [""] * 40
    pick(box.box, "annotation (annotation)")
    assert workspace.patches.labels.tolist() == ["blast"] * 30 + [""] * 30
    pick(box.box, "kind")
    assert choices(box) == ["kind", "patient", "annotation (annotation)"]
    assert list(workspace.table.columns).count("annotation") == 1
    assert workspace.annotations.now.names.tolist() == ["blast"] * 30 + [""] * 30
    workspace.undo()
    assert workspace.annotations.now.names.tolist() == ["blast"] * 20 + [""] * 40
