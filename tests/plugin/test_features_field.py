"""Features of people's own in the window: their file is a field, points need no pictures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QLabel, QLineEdit, QPushButton

from napari_patchmap.methods.method import OWN_SETTINGS
from napari_patchmap.patches import open_patches
from tests.plugin.toy import click, trained

VALUES = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)


@pytest.fixture
def panel(train_panel):
    return train_panel


def test_a_file_is_chosen_and_a_map_made_of_it(qtbot, panel, cells, tmp_path, monkeypatch):
    path = tmp_path / "f.npy"
    np.save(path, VALUES)
    panel.workspace.set_patches(cells)
    panel.form.set_config(panel.form.config.replace(method="features"))
    field = panel.form.field("features")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    click(field.findChild(QPushButton))
    assert field.findChild(QLineEdit).text() == str(path)
    assert panel.form.config.features == str(path)
    qtbot.waitUntil(lambda: "features: 5 of" in panel.plan.text())
    click(panel.button)
    trained(qtbot, panel)
    np.testing.assert_array_equal(panel.workspace.run.features, VALUES)


def choose_method(qtbot, panel, name):
    """Go to a method in the list by its keys, as people do."""
    box = panel.form.field("method")
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Home)
    for _ in range(box.findData(name)):
        qtbot.keyClick(box, Qt.Key.Key_Down)
    assert box.currentData() == name


def shown(panel):
    """Return which fields of features are seen, and whether their heading is."""
    form = panel.form
    headings = [w for w in form.findChildren(QLabel) if w.text() == "Your own features"]
    assert len(headings) == 1
    seen = [n for n in OWN_SETTINGS if form.field(n).isVisibleTo(form.field(n).parent())]
    return seen, headings[0].isVisible()


def test_the_fields_are_there_for_the_method_that_takes_them(qtbot, panel, cells, tmp_path):
    file = tmp_path / "f.npy"
    np.save(file, VALUES)
    panel.workspace.set_patches(cells)
    panel.show()
    assert shown(panel) == ([], False)
    choose_method(qtbot, panel, "features")
    assert shown(panel) == ([*OWN_SETTINGS], True)
    line = panel.form.field("features").findChild(QLineEdit)
    line.setFocus()
    qtbot.keyClicks(line, str(file))
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert panel.form.config.features == str(file)
    # Another method takes no notice of it, says so, and keeps it.
    choose_method(qtbot, panel, "simclr")
    assert shown(panel) == ([], False)
    assert (panel.trouble, panel.form.config.features) == ("", None)
    assert panel.form.aside.isVisible()
    assert f"Kept, but not used so: File of features ({file})" in panel.form.aside.text()
    panel.form.set_config(panel.form.config.replace(seed=3))
    choose_method(qtbot, panel, "features")
    assert panel.form.config.features == str(file)
    assert panel.form.aside.isHidden()


def test_points_without_pictures_are_mapped_by_their_features(qtbot, panel, cells, tmp_path):
    panel.workspace.set_patches(cells)
    panel.form.enter("backbone", "resnet34")  # which the method of the points has no use for
    rows = pd.DataFrame(VALUES, columns=list("abcde")).assign(kind=["p", "q"] * 30)
    rows.to_csv(tmp_path / "f.csv", index=False)
    panel.workspace.set_patches(open_patches(tmp_path / "f.csv"))
    assert panel.missing == ""
    assert panel.form.config.method == "features"
    assert (panel.form.config.backbone, panel.trouble) == (None, "")
    assert "Backbone (resnet34)" in panel.form.aside.text()
    qtbot.waitUntil(lambda: "60 patches, features: 5 of" in panel.plan.text())
    click(panel.button)
    trained(qtbot, panel)
    assert len(panel.viewer.layers["map"].data) == 60
