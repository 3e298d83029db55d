"""Low-rank adapters: nothing at first, the formula, one's own copies, and merged the same."""

from __future__ import annotations

import copy
from dataclasses import asdict, replace

import pytest
import torch

from napari_patchmap.errors import ConfigError
from napari_patchmap.networks.trained.learned_on import LearnedOn
from napari_patchmap.networks.trained.low_rank import layers_to_adapt
from napari_patchmap.networks.trained.origin import find_origin
from napari_patchmap.networks.trained.trained_features import describe
from napari_patchmap.networks.trained.trained_record import TrainedRecord
from tests.networks.made import FAMILIES, SMALL, VIT, images, loaded, save


def adapted(folder, rank=2):
    """A network with adapters, and the same without."""
    came = loaded(folder)
    with torch.no_grad():
        for one in came.net.parameters():
            if one.ndim == 1:  # scales of layers begin as nothing, before a network has learned
                one.uniform_(0.5, 1.0, generator=torch.Generator().manual_seed(0))
    network = LearnedOn(replace(came.record, rank=rank), 3).eval()
    network.net.load_state_dict(came.net.state_dict())
    return network, came


def learn(network):
    """Let adapters be as if they had learned."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for one in network.low_rank:
            one.b.normal_(std=0.05, generator=generator)


@pytest.mark.parametrize("family", FAMILIES)
def test_they_change_nothing_at_first_and_merged_what_they_changed_unmerged(family, tmp_path):
    network, came = adapted(save(tmp_path / "net", *FAMILIES[family][:2]))
    assert len(network.low_rank) >= 2
    with torch.inference_mode():
        first = came(images())
        assert torch.equal(network(images()), first)
        learn(network)
        unmerged = network(images())
        assert (unmerged - first).norm() > 1e-3 * first.norm()
        for _ in range(2):  # once is all
            network.finish(rests=True)
            torch.testing.assert_close(network(images()), unmerged, rtol=1e-4, atol=1e-5)


def test_a_layer_is_changed_by_the_published_formula(tmp_path):
    network, came = adapted(save(tmp_path / "net", *VIT), rank=3)
    learn(network)
    x = torch.rand(4, 7, 32, generator=torch.Generator().manual_seed(1))
    one = network.low_rank[0]
    assert (one.a.shape, one.b.shape) == ((3, 32), (96, 3))
    layer, before = network.net.blocks[0].attn.qkv, came.net.blocks[0].attn.qkv
    changed = before.weight + 16 / 3 * one.b @ one.a
    wanted = x @ changed.T + before.bias
    torch.testing.assert_close(layer(x), wanted)
    assert torch.equal(layer.weight, before.weight)
    network.finish(rests=True)
    torch.testing.assert_close(layer.weight, changed)


def test_all_matrices_of_the_blocks_are_adapted_that_are_called(tmp_path):
    net, _ = adapted(save(tmp_path / "vit", *VIT))
    names = ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
    wanted = tuple(f"blocks.{k}.{name}" for k in (0, 1) for name in names)
    assert layers_to_adapt(net.record, 3) == wanted
    # Its attention puts the weights of qkv together with other biases.
    beit = save(tmp_path / "beit", "beit_base_patch16_224", {**SMALL, "img_size": 64})
    record = describe(find_origin(str(beit)), 3, (30, 30))
    assert not any("qkv" in name for name in layers_to_adapt(replace(record, rank=2), 3))
    assert len(layers_to_adapt(replace(record, rank=2), 3)) == 6
    # Of small matrices an adapter would have more numbers than they.
    assert layers_to_adapt(replace(net.record, rank=20), 3) == tuple(
        name for name in wanted if not name.endswith("proj")
    )


def test_weights_stay_in_half_precision_and_only_adapters_have_gradients(tmp_path):
    network, _ = adapted(save(tmp_path / "net", *VIT))
    learn(network)
    network.net.to(torch.bfloat16).requires_grad_(False)
    qkv = network.net.blocks[0].attn.qkv
    made = qkv(torch.rand(2, 32, dtype=torch.bfloat16))
    assert made.dtype == qkv.weight.dtype == torch.bfloat16
    made.float().square().sum().backward()
    assert network.low_rank[0].a.dtype == torch.float32
    assert network.low_rank[0].a.grad.norm() > 0
    assert network.low_rank[0].b.grad.norm() > 0
    assert qkv.weight.grad is None
    network.finish(rests=True)
    assert qkv.weight.dtype == torch.bfloat16


def test_a_copy_has_adapters_of_its_own(tmp_path):
    network, _ = adapted(save(tmp_path / "net", *VIT))
    other = copy.deepcopy(network)
    with torch.inference_mode():
        before = network(images())
        learn(other)
        assert torch.equal(network(images()), before)
        assert not torch.equal(other(images()), before)


def test_a_rank_that_no_run_has_is_refused(tmp_path):
    record = loaded(save(tmp_path / "net", *VIT)).record
    for rank in (-1, 10**6):
        with pytest.raises(ConfigError, match="rank"):
            TrainedRecord.from_dict(asdict(replace(record, rank=rank)))
