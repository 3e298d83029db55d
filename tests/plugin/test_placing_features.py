"""New images on a map of features of people's own: the window asks for theirs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLineEdit

from napari_patchmap.patches.own_features.joined_features import with_features
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit
from tests.conftest import make_cells

ONE_WINDOW = True
NAMES = ["area", "round", "grey"]
LEFT = Qt.MouseButton.LeftButton


def written(path, count, seed, names=NAMES):
    """Write a table of features, of which the last column is none that a map knows."""
    values = np.random.default_rng(seed).normal(size=(count, len(names)))
    table = pd.DataFrame(values, columns=names).assign(other=1.0)
    table.insert(0, "index", range(count))
    table.to_csv(path, index=False)
    return path


@pytest.fixture
def opened(load_panel, tmp_path):
    """The panel of a viewer that shows the map of some cells by features of their own."""
    file = written(tmp_path / "map.csv", 60, 0)
    train = TrainConfig(
        method="features", features=str(file), feature_columns=",".join(NAMES), device="cpu"
    )
    cells = make_cells(60)
    load_panel.workspace.set_patches(cells)
    load_panel.workspace.set_run(fit(cells, RunConfig(train)))
    np.savez(tmp_path / "new.npz", images=make_cells(20, seed=7).stack())
    load_panel.source.choose("stack", tmp_path / "new.npz")
    return load_panel


def place(qtbot, panel, file="", columns=""):
    for name, text in (("features", file), ("feature_columns", columns)):
        field = panel.features.form.field(name)
        line = field if isinstance(field, QLineEdit) else field.findChild(QLineEdit)
        line.setFocus()
        line.selectAll()
        qtbot.keyClick(line, Qt.Key.Key_Delete)
        qtbot.keyClicks(line, str(text))
    qtbot.waitUntil(lambda: not panel.source.path.recognising, timeout=15_000)
    qtbot.mouseClick(panel.place_button, LEFT)
    qtbot.waitUntil(lambda: not panel.loading, timeout=30_000)


def placed(panel):
    return [layer for layer in panel.viewer.layers if layer.name.startswith("placed:")]


def test_new_images_are_placed_by_the_features_that_are_given(qtbot, opened, tmp_path):
    assert opened.features.isVisible()
    file = written(tmp_path / "f.csv", 20, 5)
    place(qtbot, opened, file)
    (layer,) = placed(opened)
    run, new = opened.workspace.run, make_cells(20, seed=7)
    wanted = run.transform(with_features(new, file, ",".join(NAMES)))
    np.testing.assert_allclose(layer.data, wanted, atol=1e-4)
    assert "20 patches of new.npz are placed" in opened.message.text
    assert "joined by 'index'" in opened.message.text


@pytest.mark.parametrize(
    ("names", "columns", "said"),
    [
        (None, "", "give a file of them"),
        ([], "", "There is no file of features"),
        (["area"], "", "round"),
        (NAMES, "nothing*", "nothing*"),
    ],
)
def test_what_is_missing_is_a_sentence(qtbot, opened, tmp_path, names, columns, said):
    file = "" if names is None else tmp_path / "f.csv"
    if names:
        written(file, 20, 5, names)
    place(qtbot, opened, file, columns)
    assert opened.message.level == "error"
    assert said in opened.message.text
    assert not placed(opened)
    assert opened.place_button.isEnabled()


def test_other_maps_and_points_are_not_asked_for_features(qtbot, opened, tmp_path):
    opened.source.choose("points", written(tmp_path / "f.csv", 20, 5))
    assert opened.features.isHidden()
    qtbot.mouseClick(opened.place_button, LEFT)
    qtbot.waitUntil(lambda: bool(placed(opened)), timeout=30_000)
    opened.source.choose("stack", tmp_path / "new.npz")
    assert opened.features.isVisible()
    cells = make_cells(60)
    config = RunConfig(TrainConfig(method="pixels", device="cpu"))
    opened.workspace.set_patches(cells)
    opened.workspace.set_run(fit(cells, config))
    assert opened.features.isHidden()
