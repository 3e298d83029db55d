"""Networks of timm by name, and what is said of names and patches that do not fit."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from safetensors.torch import load, save

from napari_patchmap.errors import ConfigError, MissingPackageError
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.networks.backbones import check_backbone, make_backbone
from napari_patchmap.networks.timm_models import TimmBackbone, timm
from napari_patchmap.runs import TrainConfig

# timm keeps tiny networks of many families for tests.
CNN, VIT = "test_resnet", "test_vit"


@pytest.mark.parametrize(("channels", "size"), [(1, (16, 16)), (3, (28, 28)), (5, (33, 20))])
def test_a_convolutional_network_takes_any_patches(channels, size):
    backbone = make_backbone(CNN, channels, size)
    images = torch.rand(2, channels, *size)
    assert backbone(images).shape == (2, backbone.out_features) == (2, 96)
    # Exactly timm's network, ready to be trained.
    theirs = timm().create_model(CNN, in_chans=channels, num_classes=0)
    theirs.load_state_dict(backbone.net.state_dict())
    assert torch.equal(backbone(images), theirs(images))
    assert backbone.training


@pytest.mark.parametrize(("channels", "size"), [(1, (16, 16)), (3, (32, 32)), (5, (32, 16))])
def test_a_transformer_is_laid_out_for_the_training_size(channels, size):
    backbone = make_backbone(VIT, channels, size)
    tokens = size[0] // 16 * size[1] // 16
    assert backbone.net.pos_embed.shape[1] == tokens + 1
    features = backbone(torch.rand(2, channels, *size))
    assert features.shape == (2, backbone.out_features) == (2, 64)
    (features * torch.rand(64)).sum().backward()
    assert backbone.net.patch_embed.proj.weight.grad.any()


def test_features_are_what_comes_out_not_what_the_network_calls_so():
    backbone = make_backbone("mobilenetv3_small_050", 1, (28, 28)).eval()
    assert backbone.net.num_features == 288
    assert backbone(torch.rand(1, 1, 28, 28)).shape == (1, backbone.out_features) == (1, 1024)


def test_a_size_that_is_not_taken_is_answered_with_sizes_that_are():
    # A transformer of 16 px tokens would silently cut 12 of 28 px off.
    with pytest.raises(ConfigError) as caught:
        make_backbone(VIT, 3, (28, 28))
    assert (
        "cannot take patches of 28 x 28 px, but 16 x 16 px or 32 x 32 px would do; set the "
        in (str(caught.value))
    )
    with pytest.raises(ConfigError, match="would do"):  # too small for its last layers
        make_backbone("test_convnext", 1, (16, 16))
    assert make_backbone("test_convnext", 1, (32, 32)).out_features == 64


def test_an_aspect_that_is_never_taken_is_said_to_be_so():
    with pytest.raises(
        ConfigError, match=r"20 x 33 px, only some others such as 160 x 160 px;"
    ):
        make_backbone(VIT, 3, (33, 20))


def test_branches_that_begin_at_zero_are_not_mistaken_for_blindness():
    torch.manual_seed(3)
    backbone = make_backbone("regnetx_002", 1, (28, 28))
    torch.manual_seed(3)
    theirs = timm().create_model("regnetx_002", in_chans=1, num_classes=0)
    for ours, weight in zip(backbone.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(ours, weight)  # the look at it left no trace


def test_weights_that_layers_share_are_saved_and_come_back():
    spec = NetworkSpec("coat_lite_tiny", 1, (32, 32), (8,), False, 2)
    network = Network(spec).eval()
    again = Network(spec).eval()
    again.load_state_dict(load(save(network.state_dict())))
    images = torch.rand(2, 1, 32, 32)
    assert torch.equal(again(images), network(images))


def test_timms_name_may_say_so_and_ours_go_first():
    assert isinstance(make_backbone(f"timm:{CNN}", 1, (16, 16)), TimmBackbone)
    assert isinstance(make_backbone("timm:resnet18", 1, (16, 16)), TimmBackbone)
    assert not isinstance(make_backbone("resnet18", 1, (16, 16)), TimmBackbone)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("resnet18-small", "resnet18-small-kernel"),
        ("xcit_smal_12_p8_224", "xcit_small_12_p8_224"),
        ("timm:compact", "compact"),
        ("resnet50.a1_in1k", "resnet50"),  # names weights, not a network
        ("§", "choose compact, resnet18, resnet34"),
    ],
)
def test_an_unknown_name_is_one_sentence_with_the_closest(name, hint):
    with pytest.raises(ConfigError) as caught:
        TrainConfig(backbone=name)
    sentence = str(caught.value)
    assert sentence.startswith(f"There is no backbone {name!r}; ")
    assert hint in sentence
    assert sentence.count(".") == sentence.replace(name, "").count(".") + name.count(".")
    named = sentence.partition(" are ")[2].rstrip(".").split(", ")
    assert len(set(named)) == len(named)


def test_a_network_that_lies_somewhere_is_taken_as_it_is_or_learns_on():
    for name in ("hf-hub:someone/model", "/somewhere/model"):  # nothing is looked up
        with pytest.raises(ConfigError, match="by the method pretrained; choose that"):
            TrainConfig(backbone=name, learn_on="none")
        assert TrainConfig(backbone=name).learns_on == "auto"
        assert TrainConfig(method="pretrained", backbone=name).backbone == name


def test_settings_are_checked_without_making_the_network():
    before = torch.get_rng_state()
    TrainConfig(backbone="vit_giant_patch14_dinov2")  # a billion weights
    assert torch.equal(torch.get_rng_state(), before)


def test_without_timm_ours_work_and_others_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    for name in ("compact", "resnet34"):
        assert make_backbone(TrainConfig(backbone=name).backbone, 1, (16, 16)).out_features
    for name in (f"timm:{CNN}", VIT):
        with pytest.raises(MissingPackageError, match="pip install timm"):
            check_backbone(name)


@pytest.mark.slow
def test_starting_up_imports_neither_timm_nor_torchvision():
    code = """
import sys
import napari_patchmap.cli
from napari_patchmap.cli.arguments import make_parser
import napari_patchmap.training
make_parser()
napari_patchmap.runs.TrainConfig(backbone="resnet34-small-kernel", optimiser="lars")
assert not {"timm", "torchvision"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
