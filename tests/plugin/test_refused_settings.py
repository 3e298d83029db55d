"""What was refused stays in its field, marked, and nothing is started by other settings."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QLineEdit, QScrollArea

from napari_patchmap.augment.augment_config import AugmentConfig
from napari_patchmap.plugin.entry.open_all import open_workspace
from napari_patchmap.plugin.qt.docks import find_panel, show_panel
from napari_patchmap.plugin.workspace import workspace_of
from tests.networks.made import FAMILIES, VIT, save
from tests.plugin.toy import type_into

ONE_WINDOW = True

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def viewer(laptop):
    return laptop


@pytest.fixture
def train(viewer, cells, qtbot):
    """The Train panel of an open workspace with patches, "More" open."""
    open_workspace(viewer)
    workspace_of(viewer).set_patches(cells)
    panel = show_panel(viewer, "train")
    qtbot.wait(30)
    qtbot.mouseClick(panel.form.more.button, LEFT)
    qtbot.wait(30)
    return panel


def line_of(form, name):
    """The line of text of a setting's field."""
    field = form.field(name)
    return field.lineEdit() if hasattr(field, "lineEdit") else field


def marked(form):
    """Names of the fields that are marked."""
    return {
        item.name
        for item in form.config.settings()
        if form.field(item.name).property("refused")
    }


def wholly_seen(widget):
    """Whether nothing hides any part of a widget."""
    return widget.visibleRegion().boundingRect().size() == widget.size()


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [
        ("backbone", "resnet99", "resnet18"),
        ("weights", "published", ""),
        ("epochs", "many", "2 1 1"),
        ("epochs", "-3", ""),
        ("seed", "-1", "4"),
        ("dimensions", "1000", "3"),
    ],
)
def test_a_refused_setting_disables_start_until_it_is_mended(train, qtbot, name, wrong, right):
    form, line = train.form, line_of(train.form, name)
    type_into(qtbot, line, wrong)
    assert form.trouble
    assert train.refusal.text == form.trouble
    assert wholly_seen(train.refusal)
    assert wholly_seen(train.button)
    assert not train.button.isEnabled()
    assert not train.result.again.isEnabled()
    assert line.text() == wrong
    assert marked(form) == {name}
    assert train.plan.text() == ""  # not that of other settings
    qtbot.mouseClick(train.button, LEFT)
    train.start()  # as another way would
    assert not train.workspace.training
    assert line.text() == wrong
    line.selectAll()
    qtbot.keyClick(line, Qt.Key.Key_Delete)
    qtbot.keyClicks(line, right)  # and no Return: a disabled button takes no focus
    assert form.trouble == ""
    assert train.refusal.text == ""
    assert marked(form) == set()
    assert train.button.isEnabled()


def test_other_settings_do_not_hide_the_refused_one(train, qtbot):
    form = train.form
    type_into(qtbot, line_of(form, "backbone"), "resnet99")
    type_into(qtbot, form.field("seed"), "7")
    assert "resnet99" in form.trouble
    assert marked(form) == {"backbone"}
    type_into(qtbot, line_of(form, "epochs"), "many")
    assert marked(form) >= {"epochs"}
    type_into(qtbot, line_of(form, "epochs"), "2 1 1")
    assert marked(form) == {"backbone"}
    type_into(qtbot, line_of(form, "backbone"), "resnet18")
    assert (form.config.seed, form.config.backbone) == (7, "resnet18")
    assert form.config.epochs == (2.0, 1.0, 1.0)


def test_the_setting_that_does_not_go_with_others_is_marked(train, qtbot):
    form = train.form
    further = form.field("learn_on")
    further.setCurrentIndex(further.findData("head"))
    assert "name it as the backbone" in train.refusal.text
    assert not train.button.isEnabled()
    assert marked(form) == {"learn_on"}
    type_into(qtbot, line_of(form, "backbone"), "resnet18")
    assert marked(form) == set()
    assert train.button.isEnabled()


def test_what_was_typed_and_not_confirmed_is_what_is_trained(train, qtbot):
    train.form.field("epochs").setText("1 1 1")
    batch = train.form.field("batch_size")
    batch.setFocus()
    batch.selectAll()
    qtbot.keyClicks(batch, "12")
    train.start()
    assert train.workspace.training
    assert train.form.config.epochs == (1.0, 1.0, 1.0)
    assert train.form.config.batch_size == 12
    qtbot.waitUntil(lambda: not train.workspace.training, timeout=150_000)
    assert train.workspace.run.config.train.batch_size == 12


def test_a_network_with_the_weights_of_another_is_refused_at_its_field(train, qtbot, tmp_path):
    other = save(tmp_path / "other", *FAMILIES["ResNet"][:2])
    right = save(tmp_path / "right", *VIT)
    wrong = shutil.copytree(right, tmp_path / "wrong")
    shutil.copy(other / "model.safetensors", wrong)
    form = train.form
    form.set_config(form.config.replace(method="pretrained"))
    for place, said in ((wrong, "are not those of"), (tmp_path / "none", "no network in")):
        type_into(qtbot, line_of(form, "backbone"), str(place))
        qtbot.waitUntil(lambda said=said: said in train.refusal.text, timeout=20_000)
        assert not train.button.isEnabled()
        assert marked(form) == {"backbone"}
        assert line_of(form, "backbone").text() == str(place)
    type_into(qtbot, line_of(form, "backbone"), str(right))
    qtbot.waitUntil(lambda: "features of" in train.plan.text(), timeout=20_000)
    assert train.button.isEnabled()
    assert marked(form) == set()


def test_a_file_of_features_that_does_not_fit_is_refused_at_its_field(train, qtbot, tmp_path):
    np.save(tmp_path / "few.npy", np.ones((3, 4), np.float32))
    form = train.form
    form.set_config(form.config.replace(method="features"))
    line = form.field("features").findChild(QLineEdit)
    type_into(qtbot, line, str(tmp_path / "few.npy"))
    qtbot.waitUntil(lambda: "few.npy" in train.refusal.text, timeout=20_000)
    assert not train.button.isEnabled()
    assert marked(form) == {"features"}
    assert line.property("refused")  # which is what has a frame


def test_weights_that_are_not_there_are_said_before_the_start(train, qtbot, tmp_path):
    form = train.form
    type_into(qtbot, line_of(form, "backbone"), "resnet18")
    type_into(qtbot, line_of(form, "weights"), str(tmp_path / "later.pth"))
    qtbot.waitUntil(lambda: "later.pth" in train.refusal.text, timeout=20_000)
    assert not train.button.isEnabled()
    assert train.refusal.check.isVisible()
    line = line_of(form, "weights")
    line.selectAll()
    qtbot.keyClick(line, Qt.Key.Key_Delete)
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert train.refusal.text == ""
    assert train.button.isEnabled()


def test_refused_augmentations_disable_start_too(train, viewer, qtbot):
    augment = show_panel(viewer, "augment")
    form = augment.form
    form.more.open(True)
    type_into(qtbot, form.field("crop_largest"), "0.1")
    assert form.trouble
    assert augment.refusal.text == form.trouble
    assert wholly_seen(augment.refusal)
    show_panel(viewer, "train")
    qtbot.wait(30)
    assert not train.button.isEnabled()
    assert form.trouble in train.refusal.text
    assert workspace_of(viewer).augment == AugmentConfig()
    qtbot.mouseClick(train.refusal.augment, LEFT)
    assert find_panel(viewer, "augment") is augment
    augment.preset.setCurrentIndex(augment.preset.findData("natural"))
    augment.preset.activated.emit(augment.preset.currentIndex())
    assert augment.refusal.text == ""
    assert train.button.isEnabled()


def test_all_of_a_footer_stays_in_view(train, qtbot):
    scroll = train.findChild(QScrollArea)
    train.message.say(
        "Something went wrong, in a sentence that takes more than a line.", "error"
    )
    train.live.begin()
    qtbot.wait(50)
    for place in (0, scroll.verticalScrollBar().maximum()):
        scroll.verticalScrollBar().setValue(place)
        for part in (train.message, train.live.phase, train.live.bar, train.button):
            assert wholly_seen(part)
    assert scroll.viewport().height() > 150
    assert isinstance(train.button, QAbstractButton)
