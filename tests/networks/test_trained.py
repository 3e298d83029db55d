"""Networks that came trained: their features, what is written of them, what is refused."""

from __future__ import annotations

import hashlib
import json
import re
import sys

import numpy as np
import pytest
import torch

from napari_patchmap.errors import ConfigError
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.networks.timm_models import timm
from napari_patchmap.networks.trained.loading import load_weights
from napari_patchmap.networks.trained.network_names import check_name
from napari_patchmap.networks.trained.origin import find_origin
from napari_patchmap.networks.trained.trained_features import TrainedFeatures, describe
from napari_patchmap.networks.trained.trained_record import TrainedRecord
from tests.networks.made import FAMILIES, SMALL, VIT, Hub, images, loaded, save


@pytest.mark.parametrize("family", FAMILIES)
def test_features_are_those_of_timms_own_pipeline(family, tmp_path):
    architecture, arguments, side = FAMILIES[family]
    folder = save(tmp_path / "net", architecture, arguments, crop_pct=0.9)
    features = loaded(f"local-dir:{folder}")
    assert features.record.size == (side, side)
    size = {"img_size": side} if arguments else {}
    net = timm().create_model(f"local-dir:{folder}", pretrained=True, num_classes=0, **size)
    config = timm().data.resolve_data_config({"input_size": (3, side, side)}, model=net)
    prepare = timm().data.create_transform(**config)
    with torch.inference_mode():
        wanted = net.eval()(torch.stack([prepare(image) for image in images()]))
        found = features(images())
    assert wanted.std() > 1e-3
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


def test_what_is_written_makes_the_same_network_again_without_its_folder(tmp_path):
    folder = save(tmp_path / "net", *VIT, mean=[0.7, 0.6, 0.5])
    features = loaded(folder, pooling="class+mean")
    record = features.record
    assert (record.licence, record.mean, record.width) == ("cc0-1.0", (0.7, 0.6, 0.5), 64)
    assert record.tokens == (8, 8)
    spec = NetworkSpec(f"pretrained:{folder}", 3, (30, 30), (), out_dim=0, trained=record)
    network = Network(spec).eval()
    network.backbone.load_state_dict(features.state_dict())
    weights = network.state_dict()
    for path in folder.iterdir():
        path.unlink()
    again = Network(NetworkSpec.from_dict(json.loads(json.dumps(spec.to_dict())))).eval()
    again.load_state_dict(weights)
    assert again.spec == spec
    with torch.inference_mode():
        assert torch.equal(again.features(images()), features(images()))


def test_a_transformer_takes_features_as_it_is_told(tmp_path):
    folder = save(tmp_path / "net", "vit_small_patch14_reg4_dinov2", {**SMALL, "img_size": 56})
    taken = {kind: loaded(folder, pooling=kind) for kind in ("class", "mean", "class+mean")}
    with torch.inference_mode():
        made = {kind: features(images()) for kind, features in taken.items()}
        inside = taken["mean"]
        tokens = inside.net.forward_features(inside._prepared(images()))
    torch.testing.assert_close(made["mean"], tokens[:, 5:].mean(1))  # 1 class, 4 registers
    torch.testing.assert_close(made["class"], tokens[:, 0])
    assert torch.equal(made["class+mean"], torch.cat([made["class"], made["mean"]], 1))
    with pytest.raises(ConfigError, match="cannot be taken as class: it has no parts"):
        loaded(save(tmp_path / "cnn", "test_resnet", {}), pooling="class")


def test_each_channel_is_seen_as_grey_and_of_many_features_main_axes_are_kept(tmp_path):
    folder = save(tmp_path / "net", "test_resnet", {})
    one, four = loaded(folder, channels=1), loaded(folder, channels=4)
    given = images(4)
    with torch.inference_mode():
        apart = [one(given[:, k : k + 1]) for k in range(4)]
        torch.testing.assert_close(four(given), torch.cat(apart, 1))
        rgb = loaded(folder)(given[:, :1].expand(-1, 3, -1, -1))
        torch.testing.assert_close(apart[0], rgb)
    many = loaded(folder, channels=6, side=32)
    assert many.out_features == 512
    some = torch.rand(40, 6, 30, 30, generator=torch.Generator().manual_seed(2))
    many.fit(lambda part: some[part], 40)
    with torch.inference_mode():
        whole, kept = many._whole(some), many(some)
    # 40 patches span 39 axes: all distances are kept.
    torch.testing.assert_close(torch.pdist(kept), torch.pdist(whole), rtol=1e-3, atol=1e-4)


def test_the_first_layer_is_adapted_if_asked(tmp_path):
    folder = save(tmp_path / "net", *VIT, mean=[0.5] * 3, std=[0.5] * 3)
    features, rgb = loaded(folder, channels=5, use="adapted"), loaded(folder)
    assert features.record.channels == "adapted"
    grey = images(1)
    with torch.inference_mode():
        found, wanted = (
            net(grey.expand(-1, n, -1, -1)) for net, n in ((features, 5), (rgb, 3))
        )
    assert found.shape == wanted.shape
    # timm repeats the colours' weights and keeps their sum about the same.
    assert torch.nn.functional.cosine_similarity(found, wanted).min() > 0.9


def test_a_network_of_five_channels_takes_its_five(tmp_path):
    arguments = {**VIT[1], "in_chans": 5}
    folder = save(tmp_path / "net", VIT[0], arguments, input_size=[5, 80, 80])
    assert loaded(folder, channels=5).record.channels == "as-is"
    with pytest.raises(ConfigError, match="its own 5 channels, and the patches have 2"):
        loaded(folder, channels=2)


def test_the_side_can_be_chosen_and_one_that_is_not_taken_is_refused(tmp_path):
    folder = save(tmp_path / "net", "vit_small_patch14_reg4_dinov2", {**SMALL, "img_size": 56})
    assert loaded(folder, side=70).record.tokens == (5, 5)
    assert loaded(folder, patch=(30, 60)).record.size == (112, 224)
    with pytest.raises(ConfigError, match="takes sides of 56 or 70 px, not 64"):
        loaded(folder, side=64)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("vit_smal_patch14_dinov2", "closest names are vit_small_patch14_dinov2"),
        (
            "vit_small_patch14_dinov2.lvd14",
            "names are vit_small_patch14_dinov2.lvd142m",
        ),
        ("dinobloom", "hf-hub:1aurent/vit_small_patch14_224.dinobloom"),
        ("UNI", "closest names are hf-hub:MahmoodLab/UNI, "),
        ("hf-hub:dinobloom", "not written as hf-hub:OWNER/NAME"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name, said):
    with pytest.raises(ConfigError, match=said):
        check_name(name)


def test_what_is_wrong_with_a_folder_is_one_sentence(tmp_path):
    def refused(name, said, file=None):
        with pytest.raises(ConfigError, match=said) as caught:
            loaded(name, file=file)
        assert "\n" not in str(caught.value)

    refused(tmp_path / "none", "There is no network in .*none; check the path")
    refused("some-owner/some-name", "or write hf-hub:some-owner/some-name")
    folder = save(tmp_path / "net", *VIT)
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    refused(folder, "model.safetensors is damaged, or only part of it was downloaded")
    weights.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0")
    refused(folder, "git lfs pull")
    weights.rename(weights.with_name("ab12.incomplete"))
    refused(folder, "The download into .* is not finished")
    (folder / "ab12.incomplete").unlink()
    refused(folder, "holds no weights")
    (folder / "config.json").unlink()
    refused(folder, "holds no config.json")
    alone = tmp_path / "alone.safetensors"
    alone.write_bytes(whole)
    refused(alone, "does not say which network its weights are of")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"embed_dim": 48}, r"cls_token is 1 x 1 x 48 in place of 1 x 1 x 32;.*and \d+ more"),
        ({"depth": 1}, r"blocks\.1\.norm1\.weight is missing"),
        ({"depth": 3}, r"blocks\.2\.\S+ has no place in it"),
    ],
)
def test_a_file_of_another_network_is_refused_with_the_layers_that_differ(
    other, said, tmp_path
):
    folder = save(tmp_path / "net", *VIT)
    file = save(tmp_path / "other", VIT[0], {**VIT[1], **other}) / "model.safetensors"
    with pytest.raises(ConfigError, match=f"are not those of .*{said}"):
        loaded(folder, file=str(file))


def test_code_that_comes_with_a_network_is_never_run(tmp_path):
    folder = tmp_path / "net"
    folder.mkdir()
    (folder / "config.json").write_text(
        '{"model_type": "mae", "auto_map": {"AutoModel": "model.Evil"}}'
    )
    (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(ConfigError, match="describes a mae network, which timm cannot make"):
        loaded(folder)
    reads = save(tmp_path / "reads", *VIT)
    saved = json.loads((reads / "config.json").read_text())
    saved["model_args"]["checkpoint_path"] = "/somewhere/evil.pth"
    (reads / "config.json").write_text(json.dumps(saved))
    with pytest.raises(ConfigError, match="sets checkpoint_path to"):
        loaded(reads)


def test_a_run_folder_may_claim_no_endless_network():
    record = TrainedRecord("x", "vit_tiny_patch16_224", 3, 192, (64, 64), (64, 64), (0.5,) * 3,
                     (0.5,) * 3)  # fmt: skip
    spec = NetworkSpec("pretrained:x", 3, (30, 30), (), out_dim=0, trained=record).to_dict()
    assert NetworkSpec.from_dict(spec).trained == record
    for change in ({"arguments": {"embed_dim": 10**9}}, {"size": [10**6, 10**6]},
                   {"arguments": {"pretrained": True}}):  # fmt: skip
        with pytest.raises(ConfigError):
            NetworkSpec.from_dict({**spec, "trained": {**spec["trained"], **change}})


def test_a_network_of_the_hub_is_fetched_once_and_its_revision_noted(hub, tmp_path):
    origin = find_origin("hf-hub:someone/net@v1")
    features = TrainedFeatures(describe(origin, 3, (30, 30)), 3).eval()
    source, digest, revision = load_weights(features, origin, None)
    assert (source, revision) == ("https://huggingface.co/someone/net", "ab" * 20)
    file = Hub.folder / "model.safetensors"
    assert digest == hashlib.sha256(file.read_bytes()).hexdigest()
    local = loaded(Hub.folder)
    with torch.inference_mode():
        assert torch.equal(features(images()), local(images()))
    # The hub's cache is a folder that a computer without internet can be given.
    copied = loaded(tmp_path / "cache" / "models--someone--net", file=None)
    assert copied.record.revision == "ab" * 20


def test_what_the_hub_refuses_is_one_sentence(hub):
    for name, said in {
        "hf-hub:gated/net": "is given to those who ask for it: ask at https://huggingface.co/"
        "gated/net, and once it is granted, download config.json and the weights there into a "
        "folder and give that folder as the network",
        "hf-hub:none/net": "There is no network 'none/net' at Hugging Face",
        "hf-hub:someone/net@v2": "someone/net has no revision 'v2'",
    }.items():
        with pytest.raises(ConfigError, match=re.escape(said)) as caught:
            find_origin(name)
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
def test_a_full_disk_is_said_with_where_it_is(hub, monkeypatch, tmp_path):
    import resource

    origin = find_origin("hf-hub:someone/net")
    features = TrainedFeatures(describe(origin, 3, (30, 30)), 3).eval()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (Hub.folder / "model.safetensors").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, hard))
    try:
        with pytest.raises(ConfigError, match=r"The disk of .*cache is full.*set HF_HOME"):
            load_weights(features, origin, None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    load_weights(features, origin, None)  # once there is room


def test_half_a_download_is_said_and_goes_on_later(hub, monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
    origin = find_origin("hf-hub:someone/net")
    features = TrainedFeatures(describe(origin, 3, (30, 30)), 3).eval()
    Hub.cut = True
    with pytest.raises(ConfigError, match=r"someone/net cannot be downloaded \(") as caught:
        load_weights(features, origin, None)
    assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match=r"download into .* is not finished"):
        find_origin(str(tmp_path / "cache" / "models--someone--net"))
    Hub.cut = False
    load_weights(features, origin, None)
    with torch.inference_mode():
        assert torch.equal(features(images()), loaded(Hub.folder)(images()))


def test_a_server_that_is_not_there_says_what_to_fetch_elsewhere(hub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE",
        "http://127.0.0.1:9/{repo_id}/resolve/{revision}/{filename}",
    )  # fmt: skip
    with pytest.raises(ConfigError, match=r"cannot be downloaded .*config\.json and model"):
        find_origin("hf-hub:someone/net")


def test_a_network_of_the_hub_without_internet_says_what_to_fetch(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    said = r"cannot be downloaded \(downloads are switched off .*\); .*config\.json and model"
    with pytest.raises(ConfigError, match=said):
        find_origin("hf-hub:someone/some-network")
    # Whoever has the file of a network that is known here needs nothing else.
    origin = find_origin("hf-hub:MahmoodLab/UNI", "uni.bin")
    assert (origin.architecture, origin.licence) == ("vit_large_patch16_224", "cc-by-nc-nd-4.0")


def test_a_map_by_a_network_of_a_folder_keeps_its_preparation(tmp_path):
    from napari_patchmap.errors import RunError
    from napari_patchmap.runs import Run, RunConfig, TrainConfig
    from napari_patchmap.training import fit
    from tests.conftest import make_cells

    folder, cells = save(tmp_path / "net", *VIT), make_cells(24)
    train = TrainConfig(method="pretrained", backbone=str(folder), device="cpu",
                        precision="float32")  # fmt: skip
    planned = []
    run = fit(cells, RunConfig(train), planned=planned.append)
    assert "at 64 x 64 px (8 x 8 parts)" in "\n".join(planned[0].lines())
    run.save(tmp_path / "run")
    (folder / "model.safetensors").unlink()
    again = Run.load(tmp_path / "run")
    record = again.network.spec.trained
    assert len(record.sha256) == 64
    placed = again.place(cells)
    np.testing.assert_allclose(placed.features, run.features, atol=1e-4)
    # A preparation that was changed afterwards is noticed.
    path = tmp_path / "run" / "config.json"
    saved = json.loads(path.read_text())
    saved["network"]["trained"]["mean"] = [0.1, 0.2, 0.3]
    path.write_text(json.dumps(saved))
    with pytest.raises(RunError, match="images would be prepared otherwise"):
        Run.load(tmp_path / "run").place(cells)
