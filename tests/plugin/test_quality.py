"""The "Quality" panel: figures with their sizes, or why there are none."""

from __future__ import annotations

import dataclasses
import re
import threading
import time

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_patchmap.explore.conditions import rows_where
from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.map.gallery_hooks import GalleryHooks
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.quality.quality import Quality
from napari_patchmap.plugin.qt.docks import show_panel
from napari_patchmap.plugin.qt.panel import PANEL_WIDTH
from napari_patchmap.quality.figure import NEIGHBOURS
from napari_patchmap.quality.voting import votes
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.runs.reporting.html_report import as_html
from napari_patchmap.runs.reporting.run_report import report_of
from napari_patchmap.training import fit
from tests.conftest import make_cells
from tests.quality.toy_figure import toy_listed

ONE_WINDOW = True


@pytest.fixture(scope="module")
def trained():
    """150 drawn cells and a short real run of them."""
    cells = make_cells(150)
    return cells, fit(cells, RunConfig(TrainConfig(device="cpu", epochs=(1, 1, 1))))


@pytest.fixture
def panel(viewer):
    widget = Quality(viewer)
    viewer.window.add_dock_widget(widget, name="Quality")
    return widget


def without_labels(cells):
    table = cells.table.drop(columns="label")
    return PatchSet(cells.stack(), table, cells.channel_names, name="no labels")


def test_it_leads_to_what_is_missing(panel, trained):
    assert "Load patches first" in panel.missing
    panel.workspace.set_patches(trained[0])
    assert "Train a map first" in panel.missing


def test_figures_come_with_their_sample_sizes(panel, trained):
    cells, run = trained
    panel.workspace.set_patches(cells)
    panel.workspace.set_run(run)
    assert panel.missing == ""
    accuracy = run.metrics["knn"]["accuracy"]
    assert panel.figures["knn"].value.text() == f"{100 * accuracy:.1f} %"
    low, high = (100 * run.metrics["knn"][name] for name in ("low", "high"))
    assert 50 < low < 100 * accuracy <= high <= 100
    assert (
        panel.figures["knn"].size.text()
        == f"on 15 held-out patches; 95\N{NO-BREAK SPACE}%: {low:.1f} to {high:.1f} %"
    )
    assert (
        panel.figures["silhouette"].value.text() == f"{run.metrics['silhouette']['mean']:.2f}"
    )
    size = panel.figures["silhouette"].size.text()
    assert size.startswith("over 150 patches; 95\N{NO-BREAK SPACE}%: ")


def test_tooltips_say_what_the_figures_mean(panel):
    knn = panel.figures["knn"].toolTip()
    assert "15 nearest neighbours" in knn
    assert "A tenth of the patches" in knn
    assert "1 means tight" in panel.figures["silhouette"].toolTip()


def test_each_label_has_a_row_that_sorts_by_number(qtbot, panel, trained):
    cells, run = trained
    panel.workspace.set_patches(cells)
    panel.workspace.set_run(run)
    table = panel.table
    assert {table.item(i, 0).text() for i in range(3)} == {"spot", "ring", "bar"}
    assert table.item(0, 1).text() == "50"
    shown = [table.item(i, 2).text() for i in range(3)]
    assert shown == sorted(shown, key=lambda text: int(text.split()[0]))
    header = table.horizontalHeader()
    place = header.sectionViewportPosition(3) + 5
    point = header.rect().center()
    point.setX(place)
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=point)
    values = [float(table.item(i, 3).text()) for i in range(3)]
    assert values in (sorted(values), sorted(values, reverse=True))


def test_without_labels_there_is_no_meaningless_number(qtbot, panel, trained):
    cells, run = trained
    panel.workspace.set_patches(without_labels(cells))
    unlabelled = dataclasses.replace(run, metrics={}, table=panel.workspace.patches.table)
    panel.workspace.set_run(unlabelled)
    qtbot.waitUntil(lambda: panel.report != {}, timeout=10_000)
    assert not panel.figures["knn"].isVisible()
    assert not panel.figures["silhouette"].isVisible()
    assert not panel.table.isVisible()
    assert "no labels" in panel.notes.text()


def test_without_labels_it_says_whether_neighbours_are_real_ones(qtbot, panel, trained):
    cells, run = trained
    panel.workspace.set_patches(without_labels(cells))
    panel.workspace.set_run(run)
    kept = panel.figures["neighbours_kept"]
    assert kept.isVisible()
    assert kept.value.text() == f"{100 * run.metrics['neighbours_kept']['mean']:.1f} %"
    assert kept.size.text().startswith("over 150 patches; 95\N{NO-BREAK SPACE}%: ")
    assert panel.questions[NEIGHBOURS].isVisible()
    assert "looks at" not in panel.notes.text()


def test_where_a_figure_is_low_is_shown_on_the_map(qtbot, viewer, workspace, trained):
    cells, run = trained
    panel = show_panel(viewer, "quality")
    workspace.set_patches(cells)
    workspace.set_run(dataclasses.replace(run))
    qtbot.mouseClick(panel.figures["trustworthiness"].where, Qt.MouseButton.LeftButton)
    owner = MapLayer.of(viewer)
    name = "quality: trustworthiness"
    assert owner.colouring.column == name
    values = run.columns["trustworthiness"]
    np.testing.assert_array_equal(workspace.table[name], values)
    # The colours follow the numbers.
    shade = owner.points.face_color[:, :3].sum(axis=1)
    low, high = np.argsort(values)[:20], np.argsort(values)[-20:]
    assert abs(shade[low].mean() - shade[high].mean()) > 0.3
    # It is a column like others: in the list of colours, to sort by, and in conditions.
    explore = show_panel(viewer, "explore")
    listed = [explore.column_box.itemData(i) for i in range(explore.column_box.count())]
    assert {name, "quality: 15 neighbours kept"} <= set(listed)
    assert explore.column_box.currentText().strip() == "trustworthiness"
    assert name in GalleryHooks.of(viewer).offered
    rows = rows_where(workspace.table, f"`{name}` < {np.sort(values)[10]:.6f}", {})
    assert 5 <= len(rows) <= 15
    # With another map it goes, and with it its colours.
    workspace.set_run(dataclasses.replace(run, columns={}))
    assert owner.colouring.column == "label"
    assert name not in GalleryHooks.of(viewer).offered


def test_where_is_measured_first_for_a_run_of_before(
    qtbot, viewer, workspace, trained, tmp_path
):
    cells, run = trained
    folder = dataclasses.replace(run, columns={}, metrics={"n": 150}).save(tmp_path / "run")
    panel = show_panel(viewer, "quality")
    workspace.set_patches(cells)
    workspace.set_run(Run.load(folder))
    qtbot.waitUntil(lambda: panel.report != {}, timeout=10_000)
    qtbot.mouseClick(panel.figures["continuity"].where, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(
        lambda: MapLayer.of(viewer).colouring.column == "quality: continuity", timeout=10_000
    )
    # It is kept with the run.
    again = Run.load(folder)
    np.testing.assert_allclose(
        again.columns["continuity"], run.columns["continuity"], rtol=1e-4
    )
    assert again.metrics["knn"] == run.metrics["knn"]


def test_a_cell_of_the_confusion_matrix_selects_its_patches(qtbot, viewer, workspace, trained):
    cells, run = trained
    panel = show_panel(viewer, "quality")
    viewer.window.resize(1300, 1000)
    workspace.set_patches(cells)
    workspace.set_run(run)
    table = panel.confusion.table
    qtbot.waitUntil(table.isVisible)
    found = votes(run.embedding, cells.labels)
    names = [table.verticalHeaderItem(i).text() for i in range(3)]
    assert names == ["bar", "ring", "spot"]
    off = found.confusion - np.diag(np.diag(found.confusion))
    row, column = np.unravel_index(off.argmax(), off.shape)
    share = off.max() / found.confusion[row].sum()
    assert table.item(row, column).text() == f"{100 * share:.0f}"
    assert table.item(row, column).toolTip().startswith(f"{off.max()} of ")
    assert (
        f"the label {names[row]} lie among {names[column]}" in table.item(row, column).toolTip()
    )
    table.scrollToItem(table.item(row, column))
    panel.column.parentWidget().parentWidget().parentWidget().ensureWidgetVisible(table)
    QApplication.processEvents()
    place = table.visualItemRect(table.item(row, column)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    wanted = (cells.labels == names[row]) & (found.names[found.voted] == names[column])
    assert workspace.selection.tolist() == np.flatnonzero(wanted).tolist()
    assert off.max() > 0
    # Without labels there is none.
    workspace.set_patches(without_labels(cells))
    workspace.set_run(dataclasses.replace(run, table=workspace.patches.table))
    assert not table.isVisible()


def test_it_fits_into_the_width_of_the_panels(viewer, workspace, trained):
    cells, run = trained
    panel = show_panel(viewer, "quality")
    workspace.set_patches(cells)
    workspace.set_run(run)
    QApplication.processEvents()
    body = panel.column.parentWidget()
    assert body.minimumSizeHint().width() <= PANEL_WIDTH - 20


def test_a_technical_column_is_checked_kept_and_shown(
    qtbot, viewer, workspace, trained, tmp_path
):
    cells, run = trained
    folder = dataclasses.replace(run).save(tmp_path / "run")
    panel = show_panel(viewer, "quality")
    viewer.window.resize(1300, 1000)
    slides = np.where(run.embedding[:, 0] > np.median(run.embedding[:, 0]), "one", "two")
    marked = PatchSet(cells.stack(), cells.table.assign(slide=slides), cells.channel_names)
    workspace.set_patches(marked)
    workspace.set_run(Run.load(folder))
    check = panel.checks["batch"]
    qtbot.mouseClick(check.fold.button, Qt.MouseButton.LeftButton)
    offered = [
        check.form.field("column").itemText(i)
        for i in range(check.form.field("column").count())
    ]
    assert offered[0] == "background colour"
    assert "slide" in offered
    assert "label" not in offered
    check.form.field("column").setCurrentText("slide")
    qtbot.mouseClick(check.begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: check.said.text() != "", timeout=20_000)
    assert re.match(
        r"Careful: neighbours on the map tell slide for (8|9)\d %", check.said.text()
    )
    assert "% of 150 patches; by chance " in check.lines.text()
    qtbot.mouseClick(check.where, Qt.MouseButton.LeftButton)
    assert MapLayer.of(viewer).colouring.column == "slide"
    # It is kept: said again when the run is opened another time.
    assert Run.load(folder).metrics["batch"]["column"] == "slide"
    workspace.set_run(dataclasses.replace(run))
    assert not check.said.isVisible()
    workspace.set_run(Run.load(folder))
    assert check.said.text().startswith("Careful")
    # The background needs no column.
    check.form.field("column").setCurrentText("background colour")
    qtbot.mouseClick(check.begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "tell background colour" in check.said.text(), timeout=20_000)
    qtbot.mouseClick(check.where, Qt.MouseButton.LeftButton)
    assert MapLayer.of(viewer).colouring.column == "background colour"
    starts = [float(name.split(" to ")[0]) for name in MapLayer.of(viewer).colouring.names]
    assert starts == sorted(starts)  # fifths from low to high, though these are texts
    assert len(starts) == 5


def test_a_column_of_one_value_is_no_batch(qtbot, viewer, workspace, trained):
    cells, run = trained
    panel = show_panel(viewer, "quality")
    table = cells.table.assign(day=["monday"] * 149 + [None])
    workspace.set_patches(PatchSet(cells.stack(), table, cells.channel_names))
    workspace.set_run(dataclasses.replace(run))
    qtbot.mouseClick(panel.checks["batch"].fold.button, Qt.MouseButton.LeftButton)
    panel.checks["batch"].form.offer("column", ["day"])
    qtbot.mouseClick(panel.checks["batch"].begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(
        lambda: "one value only" in panel.checks["batch"].said.text(), timeout=20_000
    )


def test_the_label_curve_grows_and_stays_when_somebody_has_enough(
    qtbot, viewer, workspace, trained, tmp_path
):
    cells, run = trained
    folder = dataclasses.replace(run).save(tmp_path / "run")
    panel = show_panel(viewer, "quality")
    viewer.window.resize(1300, 1000)
    workspace.set_patches(cells)
    workspace.set_run(Run.load(folder))
    curve = panel.checks["label_curve"]
    assert curve.isVisible()
    qtbot.mouseClick(curve.fold.button, Qt.MouseButton.LeftButton)
    assert not curve.plot.isVisible()
    curve.form.field("repeats").setValue(100)
    qtbot.mouseClick(curve.begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: curve.work.running and curve.plot.isVisible(), timeout=60_000)
    assert "SVM" in curve.legend.text()
    assert "of the best balanced accuracy" in curve.said.text()
    drawn = curve.plot.grab().toImage()
    colours = {
        drawn.pixelColor(x, y).name() for x in range(40, 300, 2) for y in range(0, 180, 2)
    }
    assert len(colours) > 10  # curves and bands, not an empty box
    qtbot.mouseClick(curve.work.button, Qt.MouseButton.LeftButton)
    assert not curve.work.running
    known = workspace.run.metrics["label_curve"]
    assert 1 <= known["repeats"] < 100
    assert Run.load(folder).metrics["label_curve"] == known
    # To its end, with few draws; then a map without labels has no such question.
    curve.form.field("repeats").setValue(1)
    qtbot.mouseClick(curve.begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not curve.work.running, timeout=60_000)
    assert workspace.run.metrics["label_curve"]["repeats"] == 1
    workspace.set_patches(without_labels(cells))
    workspace.set_run(dataclasses.replace(run))
    assert not curve.isVisible()


def test_a_report_is_saved_from_the_panel(qtbot, panel, trained, tmp_path, monkeypatch):
    cells, run = trained
    panel.workspace.set_patches(cells)
    panel.workspace.set_run(run)
    said = []
    panel.workspace.status_changed.connect(said.append)

    def save(name, kind="Page (*.html)"):
        answer = (str(tmp_path / name), kind)
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: answer)
        said.clear()
        qtbot.mouseClick(panel.save, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: said != [], timeout=30_000)
        return said[-1]

    assert save("my report") == f"The report is saved: {tmp_path / 'my report.html'}."
    page = (tmp_path / "my report.html").read_text("utf-8")
    assert panel.figures["knn"].value.text() in page
    assert save("mine", "PDF (*.pdf)") == f"The report is saved: {tmp_path / 'mine.pdf'}."
    assert (tmp_path / "mine.pdf").read_bytes().startswith(b"%PDF")
    assert "There is no folder" in save("nowhere/report.html")
    assert "name it .html or .pdf" in save("report.doc")
    assert panel.save.isEnabled()


def test_what_was_found_out_meanwhile_stays(qtbot, panel, trained):
    cells, run = trained
    panel.workspace.set_patches(cells)
    panel.workspace.set_run(dataclasses.replace(run, metrics=dict(run.metrics)))
    panel.measure()
    panel.workspace.run.metrics["label_curve"] = {"repeats": 7}  # another button's work
    qtbot.waitUntil(lambda: not panel.work.running, timeout=30_000)
    assert panel.workspace.run.metrics["label_curve"] == {"repeats": 7}


def test_measuring_can_be_cancelled(qtbot, panel, trained, monkeypatch):
    cells, run = trained
    began = threading.Event()
    given = threading.Event()

    def slow(self, labels, *, most=0, watch=None, missing=False):
        watch.tell({**run.metrics, "knn": None})
        began.set()
        while not given.is_set():
            watch.step(1, 100)
            time.sleep(0.01)
        raise AssertionError("it went on")

    panel.workspace.set_patches(cells)
    panel.workspace.set_run(run)
    before = panel.report
    monkeypatch.setattr(Run, "measured", slow)
    qtbot.mouseClick(panel.again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(began.is_set)
    qtbot.waitUntil(lambda: panel.work.text() == "1 of 100")
    # What is known already is shown meanwhile.
    qtbot.waitUntil(lambda: not panel.figures["knn"].isVisible())
    assert panel.figures["silhouette"].isVisible()
    assert not panel.again.isEnabled()
    qtbot.mouseClick(panel.work.button, Qt.MouseButton.LeftButton)
    assert not panel.work.running
    assert panel.again.isEnabled()
    assert panel.report is before
    given.set()


def test_figures_that_a_run_lacks_are_computed_in_the_background(qtbot, panel, trained):
    cells, run = trained
    panel.workspace.set_patches(cells)
    panel.workspace.set_run(dataclasses.replace(run, metrics={}))
    assert panel.report == {}
    qtbot.waitUntil(lambda: panel.report != {}, timeout=10_000)
    assert panel.report["knn"] == run.metrics["knn"]


def test_figures_of_an_old_map_never_land_on_a_new_one(qtbot, panel, trained):
    cells, run = trained
    panel.workspace.set_patches(cells)
    panel.workspace.set_run(dataclasses.replace(run, metrics={}))
    panel.workspace.set_patches(make_cells(33, seed=1))
    qtbot.wait(300)
    assert not panel.work.running
    assert panel.report == {}
    assert "Train a map first" in panel.missing


def test_measure_again_gives_the_same_figures(qtbot, panel, trained):
    cells, run = trained
    panel.workspace.set_patches(cells)
    panel.workspace.set_run(run)
    panel.report = {}
    qtbot.mouseClick(panel.again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.report != {}, timeout=10_000)
    assert np.isclose(
        panel.report["silhouette"]["mean"], run.metrics["silhouette"]["mean"], atol=1e-3
    )


def test_what_is_known_of_the_training_stays_when_it_is_measured_again(qtbot, panel, trained):
    cells, run = trained
    warning = run.metrics["training"]["warning"]
    assert warning  # three epochs of 150 cells say little
    panel.workspace.set_patches(cells)
    panel.workspace.set_run(run)
    panel.report = {}
    panel.measure()
    qtbot.waitUntil(lambda: panel.report != {}, timeout=10_000)
    assert panel.report["training"] == run.metrics["training"]
    assert panel.notes.text().startswith(warning)


def test_a_figure_in_the_list_is_in_the_panel_at_once(qtbot, viewer, trained):
    cells, run = trained
    with toy_listed():
        panel = Quality(viewer)
        viewer.window.add_dock_widget(panel, name="Quality")
        panel.workspace.set_patches(cells)
        panel.workspace.set_run(run)  # measured before there was the figure
        qtbot.waitUntil(lambda: panel.report != {}, timeout=10_000)
        shown = panel.figures["toy_key"]
        assert shown.isVisible()
        assert shown.value.text() == "25.0 %"
        assert shown.size.text() == "on 150 toys"
        assert "Toys are &lt;always&gt; right. (Nobody 1900)" in shown.toolTip()
        last = panel.table.columnCount() - 1
        heading = panel.table.horizontalHeaderItem(last)
        assert heading.text() == "Toy column"
        assert "Nobody 1900" in heading.toolTip()
        assert panel.table.item(0, last).text() == "12 %"
        assert panel.table.item(0, last).toolTip() == "On 7 toys."


def test_a_column_is_told_again_and_again_with_patients_kept_apart(
    qtbot, viewer, workspace, trained, tmp_path
):
    cells, run = trained
    table = cells.table.assign(
        patient=[f"p{i % 10}" for i in range(150)], size=np.linspace(1, 2, 150)
    )
    cells = PatchSet(cells.stack(), table, cells.channel_names, name="cells")
    folder = dataclasses.replace(run, table=table).save(tmp_path / "run")
    panel = show_panel(viewer, "quality")
    viewer.window.resize(1300, 1000)
    workspace.set_patches(cells)
    workspace.set_run(Run.load(folder))
    asked = panel.checks["prediction"]
    offered = [
        asked.form.field("column").itemText(i)
        for i in range(asked.form.field("column").count())
    ]
    assert offered[0] == "label"
    assert {"patient", "size"} <= set(offered)
    assert not asked.begin.isVisible()
    qtbot.mouseClick(asked.fold.button, Qt.MouseButton.LeftButton)
    asked.form.field("apart").setCurrentText("patient")
    asked.form.field("repeats").setValue(2)
    asked.form.field("share").setValue(0.3)
    asked.form.field("k").setValue(5)
    qtbot.mouseClick(asked.begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not asked.work.running and asked.table.isVisible())
    assert asked.said.text().startswith("The label of held-out patches is predicted right for ")
    assert asked.basis.text().startswith("45 of 150 patches held out, no patient (of 10)")
    ways = [asked.table.item(i, 0).text() for i in range(asked.table.rowCount())]
    assert "5-NN, map" in ways
    assert "5-NN, map, patient mixed" in ways
    known = Run.load(folder).metrics["prediction"]
    assert (known["k"], known["apart"], known["repeats"]) == (5, "patient", 2)
    # Numbers are told as numbers.
    asked.form.field("column").setCurrentText("size")
    asked.form.field("apart").setCurrentIndex(0)
    qtbot.mouseClick(asked.begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "mean absolute error" in asked.said.text())
    qtbot.waitUntil(lambda: not asked.work.running)
    assert asked.table.horizontalHeaderItem(2).text() == "R²"
    # What makes no sense is one sentence, and what was known stays.
    asked.form.field("column").setCurrentText("patient")
    asked.form.field("apart").setCurrentText("patient")
    qtbot.mouseClick(asked.begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "cannot be predicted and kept apart" in asked.said.text())
    assert asked.table.isVisible()
    workspace.set_run(dataclasses.replace(run))
    assert not asked.table.isVisible()
    workspace.set_run(Run.load(folder))
    assert asked.said.text().startswith("The size of held-out patches")


def test_the_label_curve_is_made_as_one_chooses(qtbot, viewer, workspace, trained):
    cells, run = trained
    panel = show_panel(viewer, "quality")
    workspace.set_patches(cells)
    workspace.set_run(dataclasses.replace(run))
    curve = panel.checks["label_curve"]
    qtbot.mouseClick(curve.fold.button, Qt.MouseButton.LeftButton)
    curve.form.field("power").setChecked(False)
    curve.form.field("repeats").setValue(1)
    qtbot.mouseClick(curve.begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "label_curve" in workspace.run.metrics)
    found = workspace.run.metrics["label_curve"]
    assert (found["repeats"], found["power"], found["pca"]) == (1, False, True)
    assert "linear layer" in found["curves"]
    qtbot.mouseClick(curve.published, Qt.MouseButton.LeftButton)
    form = curve.form
    assert (form.field("repeats").value(), form.field("power").isChecked()) == (100, True)
    form.field("repeats").setValue(2)
    qtbot.mouseClick(curve.begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: workspace.run.metrics["label_curve"]["repeats"] == 2)
    assert "early-stopped layer" in workspace.run.metrics["label_curve"]["curves"]


def test_figures_stand_beside_those_of_chance_and_pixels(qtbot, viewer, workspace, trained):
    cells, run = trained
    panel = show_panel(viewer, "quality")
    viewer.window.resize(1300, 1000)
    workspace.set_patches(cells)
    workspace.set_run(dataclasses.replace(run, metrics=dict(run.metrics)))
    accuracy = panel.figures["knn"]
    assert not accuracy.baselines.isVisible()
    qtbot.mouseClick(panel.baselines.begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "baselines" in workspace.run.metrics)  # shown before it is kept
    text = accuracy.baselines.text()
    assert text.startswith("(random map ")
    assert "; map of pixels " in text
    assert "; features " in text
    assert "random map 0." in panel.figures["trustworthiness"].baselines.text()
    assert set(workspace.run.metrics["baselines"]) == {
        "random map",
        "map of pixels",
        "features",
        "label_from",  # whose figures of labels these are
    }
    workspace.set_run(dataclasses.replace(run))
    assert not accuracy.baselines.isVisible()


def test_answers_of_another_version_are_asked_again(viewer, workspace, trained):
    cells, run = trained
    panel = show_panel(viewer, "quality")
    workspace.set_patches(cells)
    old = {"batch": {"column": "slide"}, "label_curve": {"sizes": [1]}, "prediction": [1]}
    workspace.set_run(dataclasses.replace(run, metrics={**run.metrics, **old}))
    for key in old:
        assert panel.checks[key].found is None
        assert panel.checks[key].begin.isEnabled()
    assert (
        "biology or the batch" not in as_html(report_of(workspace.run, cells.labels)).decode()
    )
