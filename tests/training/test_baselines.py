"""Maps without training: t-SNE of pixels, and of networks that came trained."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from napari_patchmap.errors import ConfigError, TrainingError
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.networks.trained.loading import load_weights
from napari_patchmap.networks.trained.origin import find_origin
from napari_patchmap.networks.trained.trained_features import TrainedFeatures, describe
from napari_patchmap.networks.vision import torchvision
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.training import fit, make_plan
from tests.conftest import make_cells


def config(**settings):
    return RunConfig(TrainConfig(device="cpu", **settings))


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A file of weights as torchvision publishes them for its ResNet18."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(torchvision().models.resnet18(weights=None).state_dict(), path)
    return path


def resnet(channels, size, file):
    """ResNet18 with the weights of a file, as the method pretrained looks at patches."""
    origin = find_origin("resnet18")
    backbone = TrainedFeatures(describe(origin, channels, size), channels).eval()
    load_weights(backbone, origin, str(file))
    return backbone


def test_pixels_are_the_features(cells):
    run = fit(cells, config(method="pixels"))
    wanted = cells.stack().transpose(0, 3, 1, 2).reshape(60, -1) / np.float32(255)
    np.testing.assert_allclose(run.features, wanted, atol=1e-6)
    assert (run.layout, run.complete, len(run.history)) == ("tsne", True, 0)
    assert run.metrics["knn"]["accuracy"] > 0.9


def test_large_patches_become_their_main_axes():
    cells = make_cells(150, side=64)
    run = fit(cells, config(method="pixels"))
    flat = cells.stack().transpose(0, 3, 1, 2).reshape(150, -1) / 255.0
    centred = flat - flat.mean(axis=0)
    _, singular, axes = np.linalg.svd(centred, full_matrices=False)
    assert run.features.shape == (150, 100)
    # Directions are free in sign, and alike ones in order: what they span is compared.
    kept = np.linalg.norm(run.features - run.features.mean(axis=0)) ** 2
    assert kept == pytest.approx((singular[:100] ** 2).sum(), rel=2e-3)
    first = centred @ axes[0]
    assert abs(np.corrcoef(first, run.features[:, 0])[0, 1]) > 0.9999


def test_a_saved_baseline_places_new_images(tmp_path):
    cells = make_cells(150, side=64)
    run = fit(cells, config(method="pixels"))
    run.save(tmp_path / "run")
    again = Run.load(tmp_path / "run")
    placed = again.transform(cells)
    apart = np.linalg.norm(placed - run.embedding, axis=1)
    assert np.median(apart) < 0.2 * np.ptp(run.embedding)


def test_a_trained_network_sees_what_torchvision_would_show_it(published, cells):
    """Resize 256, centre crop 224, ImageNet's mean and deviation, features before the end."""
    net = torchvision().models.resnet18(weights=None)
    net.load_state_dict(torch.load(published, weights_only=True))
    net.fc = torch.nn.Identity()
    from torchvision.transforms import v2

    prepare = v2.Compose(
        [
            v2.Resize(256, antialias=True),
            v2.CenterCrop(224),
            v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )
    for height, width in ((16, 16), (300, 400)):
        images = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0))
        backbone = resnet(3, (height, width), published)
        with torch.inference_mode():
            wanted, found = net.eval()(prepare(images)), backbone(images)
        torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_weights_of_a_file_make_a_map_that_needs_the_file_no_more(published, tmp_path, ending):
    cells = make_cells(24)
    file = tmp_path / f"weights.{ending}"
    weights = torch.load(published, weights_only=True)
    if ending == "pth":
        torch.save({"state_dict": {f"module.{k}": v for k, v in weights.items()}}, file)
    else:
        save_file(weights, file)
    run = fit(cells, config(method="pretrained", weights=str(file), precision="float32"))
    assert run.features.shape == (24, 512)
    assert run.info["weights"] == str(file)
    run.save(tmp_path / "run")
    file.unlink()
    again = Run.load(tmp_path / "run")
    spec = again.network.spec
    assert (spec.backbone, spec.out_dim) == ("pretrained:resnet18", 0)
    placed = again.transform(cells)
    assert np.median(np.linalg.norm(placed - run.embedding, axis=1)) < 0.2 * np.ptp(
        run.embedding
    )


def test_grey_patches_are_given_to_all_colours(published):
    backbone, rgb = resnet(1, (32, 32), published), resnet(3, (32, 32), published)
    grey = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(backbone(grey), rgb(grey.expand(-1, 3, -1, -1)))


def test_a_run_before_there_were_records_sees_patches_as_it_did(tmp_path):
    spec = NetworkSpec.from_dict({"backbone": "pretrained:vit_tiny_patch16_224", "channels": 3,
                                  "size": [20, 20], "hidden": [], "norm": False, "out_dim": 0,
                                  "head": "projector"})  # fmt: skip
    network = Network(spec).eval()
    record = network.backbone.record
    assert (record.mean, record.size, record.scaled) == ((0.5,) * 3, (224, 224), (249, 249))
    with torch.inference_mode():
        features = network.features(torch.rand(2, 3, 20, 20))
    assert features.shape == (2, network.backbone.out_features)
    assert network.project(features).shape == (2, 0)


def test_without_a_network_the_sentence_says_what_to_fetch(cells, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # where nobody listens
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match=r"cannot be downloaded.*resnet18-.*--weights"):
        fit(cells, config(method="pretrained"))


def test_what_does_not_fit_is_one_sentence(cells, tmp_path, published):
    odd = tmp_path / "odd.pth"
    cases = {
        "There is no file": tmp_path / "none.pth",
        "holds no weights that can be read": odd,
        "are not those of resnet34": published,
    }
    odd.write_bytes(b"no weights")
    for sentence, file in cases.items():
        with pytest.raises(ConfigError, match=sentence):
            fit(cells, config(method="pretrained", backbone="resnet34", weights=str(file)))
    torch.save([1, 2], odd)
    with pytest.raises(ConfigError, match="holds no weights of a network"):
        fit(cells, config(method="pretrained", weights=str(odd)))
    with pytest.raises(ConfigError, match="no network 'resnet19' that comes trained"):
        config(method="pretrained", backbone="resnet19")
    with pytest.raises(ConfigError, match="pixels has no backbone"):
        config(method="pixels", backbone="resnet18")
    with pytest.raises(ConfigError, match="no published weights for the usual network"):
        config(weights="x.pth")
    with pytest.raises(TrainingError, match="trains nothing, so it takes no epochs"):
        make_plan(cells, config(method="pixels", epochs=(1, 1, 1)))


def test_features_can_be_stopped(cells):
    with pytest.raises(TrainingError, match="Stopped before there was a map"):
        fit(cells, config(method="pixels"), should_stop=lambda: True)


def test_the_plan_says_that_nothing_is_trained(cells):
    lines = make_plan(cells, config(method="pixels")).lines()
    assert "nothing is trained" in lines[0]
    assert "features: pixels" in lines[1]
