"""Features of people's own in the window: their file is a field, points need no pictures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from qtpy.QtWidgets import QFileDialog, QLineEdit, QPushButton

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


def test_a_file_for_another_method_is_refused_in_a_sentence(panel, cells, tmp_path):
    panel.workspace.set_patches(cells)
    line = panel.form.field("features").findChild(QLineEdit)
    line.setText(str(tmp_path / "f.npy"))
    line.editingFinished.emit()
    assert "laid out by the method features" in panel.trouble
    assert panel.form.config.features is None
    line.clear()
    line.editingFinished.emit()
    assert panel.trouble == ""


def test_points_without_pictures_are_mapped_by_their_features(qtbot, panel, tmp_path):
    rows = pd.DataFrame(VALUES, columns=list("abcde")).assign(kind=["p", "q"] * 30)
    rows.to_csv(tmp_path / "f.csv", index=False)
    panel.workspace.set_patches(open_patches(tmp_path / "f.csv"))
    assert panel.missing == ""
    assert panel.form.config.method == "features"
    qtbot.waitUntil(lambda: "60 patches, features: 5 of" in panel.plan.text())
    click(panel.button)
    trained(qtbot, panel)
    assert len(panel.viewer.layers["map"].data) == 60
