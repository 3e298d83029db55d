"""Backbones that begin with weights of a file, for any channels and size."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from napari_patchmap.augment import AugmentConfig
from napari_patchmap.cli import main
from napari_patchmap.errors import ConfigError
from napari_patchmap.networks.backbones import make_backbone
from napari_patchmap.networks.fine_tuned import FINE_TUNED, load_start
from napari_patchmap.networks.timm_models import timm
from napari_patchmap.networks.vision import torchvision
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.training import fit
from tests.conftest import make_cells

pytestmark = pytest.mark.slow

VIT = "vit_tiny_patch16_224"


def published(name, **options):
    """The weights of a network, as its authors would publish them."""
    torch.manual_seed(5)
    if name.startswith("resnet"):
        return getattr(torchvision().models, name)().state_dict()
    return timm().create_model(name, pretrained=False, **options).state_dict()


def started(name, channels, size, weights, path):
    torch.save(weights, path)
    backbone = make_backbone(f"{FINE_TUNED}{name}", channels, size)
    assert load_start(backbone, name, channels, str(path)) == str(path)
    return backbone.eval()


@pytest.mark.parametrize("channels", [1, 4])
def test_a_grey_image_in_any_number_of_channels_gives_what_it_gives_in_rgb(channels, tmp_path):
    weights = published("resnet18")
    image = torch.rand(2, 1, 64, 64)
    rgb = started("resnet18", 3, (64, 64), weights, tmp_path / "w.pth").backbone
    other = started("resnet18", channels, (64, 64), weights, tmp_path / "w.pth").backbone
    with torch.no_grad():
        wanted = rgb(image.expand(-1, 3, -1, -1))
        found = other(image.expand(-1, channels, -1, -1))
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_images_are_brought_to_the_mean_and_deviation_of_the_weights(tmp_path):
    backbone = started("resnet18", 3, (64, 64), published("resnet18"), tmp_path / "w.pth")
    images = torch.rand(2, 3, 64, 64)
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    with torch.no_grad():
        torch.testing.assert_close(backbone(images), backbone.backbone((images - mean) / std))


def test_a_transformer_of_timm_takes_its_weights_at_another_size(tmp_path):
    weights = published(VIT)
    backbone = started(VIT, 1, (64, 64), weights, tmp_path / "w.pth")
    net = backbone.backbone.net
    torch.testing.assert_close(net.blocks[3].mlp.fc1.weight, weights["blocks.3.mlp.fc1.weight"])
    assert net.pos_embed.shape[1] == 1 + 16
    torch.testing.assert_close(
        net.patch_embed.proj.weight, weights["patch_embed.proj.weight"].sum(1, keepdim=True)
    )
    assert backbone(torch.rand(2, 1, 64, 64)).shape == (2, 192)


@pytest.mark.parametrize(("name", "lost"), [("resnet18", "layer2.0.conv1.weight"),
                                            (VIT, "blocks.5.attn.qkv.weight")])  # fmt: skip
def test_a_file_that_lacks_weights_is_refused(name, lost, tmp_path):
    weights = published(name)
    del weights[lost]
    with pytest.raises(
        ConfigError, match=rf"w\.pth are not those of {name} \({lost} is missing"
    ):
        started(name, 3, (64, 64), weights, tmp_path / "w.pth")


@pytest.mark.parametrize("name", ["resnet34", VIT])
def test_weights_of_another_network_are_refused_in_one_line(name, tmp_path):
    with pytest.raises(ConfigError, match=f"are not those of {name}") as caught:
        started(name, 3, (64, 64), published("resnet18"), tmp_path / "w.pth")
    assert "\n" not in str(caught.value)


def test_only_networks_that_have_published_weights_begin_with_them():
    for backbone in (None, "compact", "resnet18-small-kernel"):
        with pytest.raises(ConfigError, match="There are no published weights for"):
            TrainConfig(method="dino", backbone=backbone, weights="published")
    with pytest.raises(ConfigError, match="pixels has no network"):
        TrainConfig(method="pixels", weights="published")
    assert TrainConfig(method="dino", backbone=VIT, weights="published").weights == "published"


def test_a_run_that_began_with_weights_places_its_patches_where_they_were(tmp_path):
    cells = make_cells(60, side=32)
    save_file(published("resnet18"), tmp_path / "w.safetensors")
    train = TrainConfig(
        device="cpu",
        precision="float32",
        backbone="resnet18",
        weights=str(tmp_path / "w.safetensors"),
        epochs=(0.4, 0.4, 0.4),
        batch_size=20,
    )
    run = fit(cells, RunConfig(train, AugmentConfig.preset("natural")))
    assert run.info["weights"] == str(tmp_path / "w.safetensors")
    (tmp_path / "w.safetensors").unlink()
    again = Run.load(run.save(tmp_path / "run"))
    placed = again.place(cells)
    np.testing.assert_allclose(placed.unlikeness, 0, atol=1e-2)
    np.testing.assert_allclose(placed.embedding, run.embedding, atol=1e-3)


def test_a_missing_file_is_one_line(tmp_path, capsys):
    np.save(tmp_path / "cells.npy", make_cells(30).stack())
    arguments = ["embed", str(tmp_path / "cells.npy"), "--out", str(tmp_path / "run")]
    arguments += ["--method", "dino", "--backbone", VIT, "--weights", str(tmp_path / "no.pth")]
    assert main([*arguments, "--longest-side", "16", "--device", "cpu"]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert f"There is no file {tmp_path / 'no.pth'} to read weights from." in said
