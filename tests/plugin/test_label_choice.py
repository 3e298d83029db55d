"""Which column is the label can be seen and changed in the Load panel."""

import imagecodecs
import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from tests.plugin.toy import toy_map, toy_patches

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


def test_the_labels_of_a_map_that_is_open_stay(load_panel):
    panel = load_panel
    panel.workspace.set_patches(toy_patches())
    panel.workspace.set_embedding(toy_map())
    choice = panel.summary.label_choice
    before, column = choice.box.currentText(), panel.workspace.patches.labels.tolist()
    choice.wanted.emit("source")
    assert panel.workspace.embedding is not None
    assert panel.workspace.patches.labels.tolist() == column
    assert choice.box.currentText() == before
    assert "load the patches again" in panel.message.text
