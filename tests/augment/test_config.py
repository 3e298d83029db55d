"""What augmentations are called: people compare maps by these names."""

from __future__ import annotations

import pytest

from napari_patchmap.augment import JITTERS, PRESETS, AugmentConfig


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_called_by_its_name(name):
    assert AugmentConfig.preset(name).called == name


@pytest.mark.parametrize("strength", JITTERS)
def test_the_strength_of_the_jitter_is_known(strength):
    config = AugmentConfig.preset("histology").jittered(strength)
    assert config.jitter_strength == strength
    usual = strength == "medium"
    assert config.called == ("histology" if usual else f"histology, {strength} jitter")
    assert AugmentConfig().jitter_strength == ""


def test_what_was_left_out_is_named():
    rotations = AugmentConfig.preset("rotations")
    assert rotations.without("crop").called == "rotations without crop"
    assert rotations.without("jitter", "grey").called == "rotations without jitter, grey"
    natural = AugmentConfig.preset("natural")
    assert natural.without("flips").called == "natural without flips"
    # Without turns by any angle that is another preset.
    assert rotations.without("rotations").called == "right-angles"
    assert rotations.replace(hue=0.3).called == "own augmentations"
