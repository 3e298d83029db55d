"""What a person says of networks that came trained: lone files, channels, several at once."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from napari_patchmap.errors import ConfigError, RunError
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.networks.trained.for_patches import record_for
from napari_patchmap.networks.trained.joined_networks import SideBySide, make_trained
from napari_patchmap.networks.trained.loading import load_published
from napari_patchmap.networks.trained.named_channels import find_channels, parse_pairs
from napari_patchmap.networks.trained.network_names import check_names, split_names
from napari_patchmap.networks.trained.origin import find_origin
from napari_patchmap.patches import from_array
from tests.networks.made import SMALL, VIT, images, loaded, save

PAINTED = ("DNA", "ER", "RNA", "AGP", "Mito")


def patches(channels=3, side=30, names=None, **changes):
    values = np.random.default_rng(0).integers(0, 255, (12, side, side, channels), np.uint8)
    made = from_array(values, name="made")
    made.channel_names = names or made.channel_names
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def said(patches, name, **settings):
    return "\n".join(record_for(patches, str(name), **settings)[1].lines())


# -- a file of weights that lies alone ---------------------------------------------------


@pytest.mark.parametrize("kind", ["safetensors", "pth", "of DINO's teacher"])
def test_a_lone_file_is_read_as_the_network_that_it_is_said_to_be(kind, tmp_path):
    folder = save(tmp_path / "net", "test_vit", {})
    weights = load_file(folder / "model.safetensors")
    if kind == "safetensors":
        file = tmp_path / "alone.safetensors"
        save_file(weights, file)
    else:
        file = tmp_path / "alone.pth"
        teacher = {f"backbone.{key}": value for key, value in weights.items()}
        teacher["dino_head.mlp.0.weight"] = torch.zeros(2, 2)
        whole = {"teacher": teacher, "epoch": 3} if "DINO" in kind else weights
        torch.save(whole, file)
    alone = loaded(file, architecture="test_vit")
    with torch.inference_mode():
        expected = loaded(folder).net(images(side=64))
        torch.testing.assert_close(alone.net(images(side=64)), expected)
    # What is written finds the file again without being told.
    again = make_trained(alone.record, 3)
    load_published(again, None)
    assert torch.equal(again.net.cls_token, alone.net.cls_token)


def test_a_lone_file_that_does_not_tell_names_the_option_and_what_it_looks_like(tmp_path):
    folder = save(tmp_path / "net", "vit_tiny_patch16_224", {"depth": 1})
    (folder / "config.json").unlink()
    file = folder / "model.safetensors"
    with pytest.raises(ConfigError, match=r"--architecture, such as vit_tiny_patch16_224"):
        find_origin(str(file))
    with pytest.raises(ConfigError, match=r"to which .* could belong; .*vit_tiny_patch16_224"):
        find_origin(str(file), None, "vit_tiny_patch16_22")
    differs = r"are not those of vit_tiny_patch16_224 \(blocks\.1\.norm1.* and \d+ more"
    with pytest.raises(ConfigError, match=differs):
        loaded(file, architecture="vit_tiny_patch16_224")
    with pytest.raises(ConfigError, match="says itself which network it is"):
        find_origin("resnet18", None, "resnet18")


def test_a_file_of_a_network_that_is_known_needs_no_more_than_its_name(tmp_path):
    file = tmp_path / "pytorch_model.bin"
    torch.save({}, file)
    origin = find_origin(str(file), None, "hf-hub:MahmoodLab/UNI")
    assert (origin.architecture, origin.mpp) == ("vit_large_patch16_224", 0.5)
    assert origin.licence == "cc-by-nc-nd-4.0"


# -- channels by name --------------------------------------------------------------------


def painting(folder, **changed):
    """Save a network that takes the five channels of Cell Painting."""
    arguments = {**VIT[1], "in_chans": 5}
    save(folder, VIT[0], arguments, input_size=[5, 80, 80], mean=[0.5] * 5, std=[0.2] * 5)
    config = json.loads((folder / "config.json").read_text())
    config |= {"channel_names": PAINTED, **changed}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_a_network_of_five_channels_gets_them_by_their_names(tmp_path):
    folder = painting(tmp_path / "net")
    names = ("MitoTracker", "Brightfield", "Hoechst 33342", "ConA", "SYTO 14", "Phalloidin")
    mixed = patches(6, names=names)
    _, record = record_for(mixed, str(folder))
    assert (record.channels, record.picked) == ("named", (2, 3, 4, 5, 0))
    assert "Hoechst 33342 as DNA, ConA as ER" in "\n".join(record.lines())
    given = images(6)
    in_order = loaded(folder, channels=5)
    by_name = make_trained(record, 6).eval()
    by_name.load_state_dict(in_order.state_dict())
    with torch.inference_mode():
        torch.testing.assert_close(by_name(given), in_order(given[:, [2, 3, 4, 5, 0]]))
    # As it is written, it reads the same channels.
    assert type(record).from_dict(json.loads(json.dumps(record.__dict__))) == record


def test_a_channel_that_is_missing_is_named_and_can_be_said(tmp_path):
    folder = painting(tmp_path / "net")
    names = ("Hoechst", "ConA", "SYTO14", "WGA", "far red")
    with pytest.raises(ConfigError, match=r"none is known to be Mito; .*of-network Mito=NAME"):
        said(patches(5, names=names), folder)
    told = said(patches(5, names=names), folder, said="Mito=far red")
    assert "far red as Mito" in told
    for pairs, wrong in {
        "Mito=infrared": "have no channel 'infrared'; they have Hoechst",
        "Golgi=WGA": "takes no channel 'Golgi'; it takes DNA",
        "Mito": "written as DNA=Hoechst",
    }.items():
        with pytest.raises(ConfigError, match=wrong):
            said(patches(5, names=names), folder, said=pairs)


def test_channels_without_names_are_taken_in_order_and_that_is_said(tmp_path):
    told = said(patches(5), painting(tmp_path / "net"))
    assert "channels in their order: channel 0 as DNA" in told


def test_three_of_many_channels_can_be_given_to_a_colour_network(tmp_path):
    folder = save(tmp_path / "net", *VIT)
    _, record = record_for(
        patches(4, names=("DAPI", "GFP", "RFP", "Cy5")), str(folder), said="r=Cy5,g=GFP,b=1"
    )
    assert record.picked == (3, 1, 0)


def test_names_that_fit_two_channels_are_not_guessed():
    with pytest.raises(ConfigError, match="none is known to be DNA"):
        find_channels("net", ["DNA"], ["DAPI", "Hoechst"], {})
    assert find_channels("net", ["DNA"], ["DAPI", "Hoechst"], parse_pairs("DNA=2")) == (1,)
    assert find_channels("net", ["647"], ["Alexa Fluor 488", "Alexa Fluor 647"], {}) == (1,)


# -- resolution --------------------------------------------------------------------------


def test_another_resolution_is_said_with_both_numbers_and_what_to_do(tmp_path):
    folder = save(tmp_path / "net", *VIT)
    config = json.loads((folder / "config.json").read_text()) | {"mpp": 0.5}
    (folder / "config.json").write_text(json.dumps(config))
    fine = patches(side=80, mpp=0.25)
    told = said(fine, folder)
    assert re.search(r"0\.5 µm per pixel, and sees these at 0\.2\d", told)
    assert "cut them at 0.5 µm per pixel (--mpp 0.5)" in told
    assert "(--input-side 40)" in told
    assert "µm" not in said(fine, folder, side=40)
    assert "µm" not in said(patches(side=80, mpp=0.5), folder)
    assert "how many the patches have is not known" in said(patches(side=80), folder)
    # As `patchmap tile` writes it beside its tiles.
    table = patches(side=80)
    table.table = table.table.assign(mpp=[0.25] * 11 + [np.nan])
    assert "sees these at 0.2" in said(table, folder)


# -- several at once ---------------------------------------------------------------------


def test_features_of_two_networks_lie_side_by_side_and_count_alike(tmp_path):
    one = save(tmp_path / "a", *VIT)
    two = save(tmp_path / "b", "vit_small_patch14_reg4_dinov2", {**SMALL, "img_size": 56})
    _, record = record_for(patches(), f"{one}+{two}")
    assert any("beside them" in line for line in record.lines())
    both = make_trained(record, 3).eval()
    assert isinstance(both, SideBySide)
    source = load_published(both, None)
    assert (str(one) in source, str(two) in source) == (True, True)
    some = torch.rand(40, 3, 30, 30, generator=torch.Generator().manual_seed(1))
    both.fit(lambda part: some[part], len(some))
    with torch.inference_mode():
        made = both(some)
        apart = [loaded(folder)(some) for folder in (one, two)]
    assert made.shape == (40, both.out_features) == (40, 64)
    halves = made[:, :32], made[:, 32:]
    for half, own in zip(halves, apart, strict=True):
        assert float(half.var(dim=0, correction=0).sum()) == pytest.approx(1, rel=1e-4)
        distances, wanted = torch.pdist(half), torch.pdist(own)
        torch.testing.assert_close(
            distances / distances.mean(), wanted / wanted.mean(), rtol=1e-3, atol=1e-4
        )
    both.note_probe(3, (30, 30))
    spec = NetworkSpec(f"pretrained:{one}+{two}", 3, (30, 30), (), out_dim=0,
                       trained=both.record)  # fmt: skip
    again = Network(NetworkSpec.from_dict(json.loads(json.dumps(spec.to_dict())))).eval()
    again.backbone.load_state_dict(both.state_dict())
    again.backbone.check_probe(3, (30, 30))
    with torch.inference_mode():
        assert torch.equal(again.features(some), made)
    hashes = [len(part.sha256) for part in (both.record, *both.record.beside)]
    assert hashes == [64, 64]


def test_names_of_several_networks_are_checked_each(tmp_path):
    assert split_names("resnet18 + resnet50") == ("resnet18", "resnet50")
    odd = tmp_path / "a+b"
    odd.mkdir()
    assert split_names(str(odd)) == (str(odd),)
    check_names("resnet18+vit_small_patch14_dinov2")
    with pytest.raises(ConfigError, match=r"closest names are .*vit_small_patch14_dinov2"):
        check_names("resnet18+vit_smal_patch14_dinov2")
    with pytest.raises(ConfigError, match="does not name different networks"):
        check_names("resnet18+resnet18")
    with pytest.raises(ConfigError, match="are those of one network"):
        record_for(patches(), "resnet18+resnet50", weights="some.pth")


def test_a_map_of_two_networks_is_saved_and_places_patches_where_they_were(tmp_path):
    from napari_patchmap.runs import Run, RunConfig, TrainConfig
    from napari_patchmap.training import fit
    from tests.conftest import make_cells

    one = save(tmp_path / "a", *VIT)
    two = save(tmp_path / "b", "vit_small_patch14_reg4_dinov2", {**SMALL, "img_size": 56})
    cells = make_cells(24)
    train = TrainConfig(method="pretrained", backbone=f"{one}+{two}", device="cpu",
                        precision="float32")  # fmt: skip
    planned = []
    run = fit(cells, RunConfig(train), planned=planned.append)
    assert f"beside them features of {two}" in "\n".join(planned[0].lines())
    assert run.features.shape == (len(cells), 64)
    run.save(tmp_path / "run")
    (one / "model.safetensors").unlink()
    placed = Run.load(tmp_path / "run").place(cells)
    np.testing.assert_allclose(placed.features, run.features, atol=1e-4)
    # A change of how the second one sees patches is noticed.
    path = tmp_path / "run" / "config.json"
    saved = json.loads(path.read_text())
    saved["network"]["trained"]["beside"][0]["mean"] = [0.1, 0.2, 0.3]
    path.write_text(json.dumps(saved))
    with pytest.raises(RunError, match="images would be prepared otherwise"):
        Run.load(tmp_path / "run").place(cells)
