"""Forms are made from configs: ranges, units, help, and what a person types."""

from __future__ import annotations

import dataclasses

import pytest
from qtpy.QtCore import Qt

from napari_patchmap.augment.augment_config import AugmentConfig
from napari_patchmap.methods.train_config import TrainConfig, unused_settings
from napari_patchmap.networks.backbones import BACKBONES
from napari_patchmap.plugin.qt.form import ConfigForm
from napari_patchmap.plugin.qt.number_box import AUTO
from tests.plugin.toy import type_into


@pytest.fixture
def train_form(qtbot):
    form = ConfigForm(TrainConfig())
    qtbot.addWidget(form)
    form.show()
    return form


@pytest.fixture
def augment_form(qtbot):
    form = ConfigForm(AugmentConfig())
    qtbot.addWidget(form)
    form.show()
    return form


@pytest.mark.parametrize("config", [TrainConfig(), AugmentConfig()])
def test_every_setting_has_a_field_with_its_help_and_default(qtbot, config):
    form = ConfigForm(config)
    qtbot.addWidget(form)
    for item in config.settings():
        tip = form.field(item.name).toolTip()
        assert item.help in tip
        assert "Default" in tip
        assert item.unit in tip
    assert form.config == config


def test_ranges_and_units_come_from_the_config(qtbot, augment_form):
    degrees = augment_form.field("rotate_degrees")
    assert degrees.suffix() == " degrees"
    for typed, key, end in (("179.5", Qt.Key.Key_Up, 180), ("0.5", Qt.Key.Key_Down, 0)):
        type_into(qtbot, degrees, typed)
        for _ in range(2):
            qtbot.keyClick(degrees, key)
        assert augment_form.config.rotate_degrees == end
    # What is typed beyond it stays, and is refused.
    type_into(qtbot, degrees, "500")
    assert "at most 180 degrees; it was 500" in augment_form.trouble
    assert (degrees.value(), augment_form.config.rotate_degrees) == (500, 0)
    type_into(qtbot, degrees, "20")
    assert (augment_form.trouble, augment_form.config.rotate_degrees) == ("", 20)


def test_typing_changes_the_config_and_says_so_once(qtbot, augment_form):
    with qtbot.waitSignal(augment_form.changed) as caught:
        type_into(qtbot, augment_form.field("rotate_degrees"), "30")
    assert caught.args[0].rotate_degrees == 30
    assert augment_form.config == AugmentConfig(rotate_degrees=30)


def test_fields_nobody_touched_keep_their_exact_value(qtbot, augment_form):
    qtbot.keyClick(augment_form.field("flip_vertical"), Qt.Key.Key_Space)
    assert augment_form.config == AugmentConfig(flip_vertical=False)
    assert augment_form.config.crop_aspect == 4 / 3


def test_showing_a_preset_is_not_an_edit(qtbot, augment_form):
    with qtbot.assertNotEmitted(augment_form.changed):
        augment_form.set_config(AugmentConfig.preset("natural"))
    assert not augment_form.field("rotate").isChecked()


def test_a_switch_greys_out_the_numbers_that_follow_it(qtbot, augment_form):
    assert augment_form.field("hue").isEnabled()
    qtbot.keyClick(augment_form.field("jitter"), Qt.Key.Key_Space)
    assert not augment_form.field("hue").isEnabled()
    assert not augment_form.field("brightness").isEnabled()
    assert augment_form.field("grey_share").isEnabled()
    assert augment_form.field("rotate_degrees").isEnabled()


def test_optional_numbers_show_auto_and_come_back_to_it(qtbot, train_form):
    minutes = train_form.field("minutes")
    assert minutes.text() == AUTO
    type_into(qtbot, minutes, "3")
    assert train_form.config.minutes == 3
    qtbot.keyClick(minutes, Qt.Key.Key_Down)
    qtbot.keyClick(minutes, Qt.Key.Key_Down)
    qtbot.keyClick(minutes, Qt.Key.Key_Down)
    qtbot.keyClick(minutes, Qt.Key.Key_Down)
    assert train_form.config.minutes is None
    assert minutes.text() == AUTO


def test_optional_choices_offer_auto_first(train_form):
    optimiser = train_form.field("optimiser")
    assert optimiser.itemText(0) == AUTO
    optimiser.setCurrentIndex(optimiser.findText("lars"))
    assert train_form.config.optimiser == "lars"
    optimiser.setCurrentIndex(0)
    assert train_form.config.optimiser is None


def test_what_is_typed_into_an_untouched_suggestion_is_all_there_is(qtbot, train_form):
    train_form.more.open(True)
    backbone = train_form.field("backbone")
    for again in (False, True):
        if again:
            backbone.setCurrentIndex(backbone.findText("resnet34"))
            backbone.setCurrentIndex(0)
            assert train_form.config.backbone is None
        line = backbone.lineEdit()
        line.setFocus()
        qtbot.keyClicks(line, "test_vit")
        qtbot.keyClick(line, Qt.Key.Key_Return)
        assert train_form.config.backbone == "test_vit"


def test_suggestions_can_be_chosen_and_anything_else_typed(qtbot, train_form):
    train_form.more.open(True)
    backbone = train_form.field("backbone")
    listed = [backbone.itemText(i) for i in range(backbone.count())]
    assert listed[: len(BACKBONES) + 1] == [AUTO, *BACKBONES]
    assert backbone.currentText() == ""
    assert backbone.lineEdit().placeholderText() == AUTO
    backbone.setCurrentIndex(backbone.findText("resnet34"))
    assert train_form.config.backbone == "resnet34"
    line = backbone.lineEdit()
    with qtbot.waitSignal(train_form.changed) as caught:
        type_into(qtbot, line, "resnet18")  # also the beginning of another suggestion
    assert caught.args[0].backbone == "resnet18"
    type_into(qtbot, line, "test_vit")
    assert train_form.config.backbone == "test_vit"
    assert backbone.count() == len(listed)
    with qtbot.waitSignal(train_form.refused) as caught:
        type_into(qtbot, line, "test_vot")
    assert "test_vit" in caught.args[0]
    assert train_form.config.backbone == "test_vit"
    # What was typed goes when auto is chosen, and when the field is emptied.
    type_into(qtbot, line, "")
    qtbot.keyClick(line, Qt.Key.Key_Delete)
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert train_form.config.backbone is None
    train_form.set_config(TrainConfig(backbone="timm:test_vit"))
    assert backbone.currentText() == "timm:test_vit"
    backbone.setCurrentIndex(0)
    backbone.activated.emit(0)
    assert train_form.config.backbone is None


def test_what_a_list_says_of_a_network_becomes_its_name_when_it_is_chosen(train_form):
    train_form.set_config(TrainConfig(method="pretrained"))
    backbone = train_form.field("backbone")
    row = backbone.findText("DinoBloom S", Qt.MatchFlag.MatchStartsWith)
    assert "86 MB, apache-2.0" in backbone.itemText(row)
    backbone.setCurrentIndex(row)
    assert train_form.config.backbone == "hf-hub:1aurent/vit_small_patch14_224.dinobloom"
    assert backbone.currentText() == train_form.config.backbone
    assert train_form.trouble == ""
    train_form.set_config(train_form.config)
    assert backbone.currentIndex() == row


def test_small_numbers_are_not_rounded_away(qtbot, train_form):
    train_form.more.open(True)
    rate, decay = train_form.field("learning_rate"), train_form.field("weight_decay")
    assert rate.text() == decay.text() == AUTO
    type_into(qtbot, rate, "0.0003")
    type_into(qtbot, decay, "0.000001")
    assert train_form.config.learning_rate == 3e-4
    assert train_form.config.weight_decay == 1e-6
    type_into(qtbot, decay, "0")
    assert train_form.config.weight_decay == 0.0
    for _ in range(3):
        qtbot.keyClick(decay, Qt.Key.Key_Down)
    assert train_form.config.weight_decay is None
    train_form.set_config(TrainConfig(learning_rate=1.23456789e-5))
    assert train_form.config.learning_rate == 1.23456789e-5


def test_what_means_nothing_to_a_method_or_a_network_is_not_shown(qtbot):
    form = ConfigForm(TrainConfig(minutes=5.0), unused=unused_settings)
    qtbot.addWidget(form)
    form.show()
    form.more.open(True)
    names = ("minutes", "optimiser", "backbone", "architecture", "pooling", "adapter_rank")

    def shown(method, backbone=None):
        form.set_config(TrainConfig(method=method, backbone=backbone, minutes=5.0))
        form.field("method").currentIndexChanged.emit(0)
        return [name for name in names if form.field(name).isVisible()]

    assert shown("simclr") == ["minutes", "optimiser", "backbone"]
    assert shown("pretrained") == ["backbone", "architecture", "pooling"]
    assert form.aside.text() == ""  # nobody entered the minutes
    assert shown("simclr", "hf-hub:OWNER/NAME") == list(names)
    assert form.trouble == ""


def test_rare_settings_are_folded_away(qtbot, train_form):
    assert train_form.field("seed").isVisible()
    assert not train_form.field("batch_size").isVisible()
    qtbot.mouseClick(train_form.more.button, Qt.MouseButton.LeftButton)
    assert train_form.field("batch_size").isVisible()


def test_several_numbers_are_typed_with_spaces_or_commas(qtbot, train_form):
    train_form.more.open(True)
    type_into(qtbot, train_form.field("epochs"), "5, 1 3")
    assert train_form.config.epochs == (5.0, 1.0, 3.0)
    type_into(qtbot, train_form.field("epochs"), " ")
    assert train_form.config.epochs is None


def test_what_cannot_be_taken_is_said_and_changes_nothing(qtbot, train_form):
    train_form.more.open(True)
    with (
        qtbot.assertNotEmitted(train_form.changed),
        qtbot.waitSignal(train_form.refused) as caught,
    ):
        type_into(qtbot, train_form.field("epochs"), "many")
    assert "must be a number" in caught.args[0]
    assert train_form.config == TrainConfig()


def test_skipped_settings_keep_their_value(qtbot):
    start = dataclasses.replace(TrainConfig(), seed=7)
    form = ConfigForm(start, skip=("seed",))
    qtbot.addWidget(form)
    form.field("device").setCurrentText("cpu")
    assert form.config == start.replace(device="cpu")


def test_methods_are_called_as_in_print(train_form):
    method = train_form.field("method")
    shown = [method.itemText(i) for i in range(method.count())]
    assert shown[:3] == ["t-SimCNE", "SimCLR", "DINO"]
    method.setCurrentIndex(shown.index("SimCLR"))
    assert train_form.config.method == "simclr"


def test_minutes_and_epochs_say_the_same_so_the_last_one_counts(qtbot, train_form):
    type_into(qtbot, train_form.field("minutes"), "5")
    type_into(qtbot, train_form.field("epochs"), "3 1 1")
    assert (train_form.config.minutes, train_form.config.epochs) == (None, (3, 1, 1))
    assert train_form.field("minutes").text() == AUTO
    type_into(qtbot, train_form.field("minutes"), "2")
    assert (train_form.config.minutes, train_form.config.epochs) == (2, None)
    assert train_form.field("epochs").text() == ""
    # Where nobody saw which came last, epochs go first, and settings say what was done.
    assert TrainConfig(minutes=5, epochs=(3, 1, 1)).minutes is None
