"""Cached features are those of the finished map, and are paired with neighbours."""

from __future__ import annotations

import numpy as np
import torch

from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.networks.inference import infer
from napari_patchmap.training.learners.from_neighbours import FeatureCache, cache_features

TURNED = [(0, False), (1, True)]


def test_features_are_those_of_the_finished_map_in_another_order():
    torch.manual_seed(0)
    network = Network(NetworkSpec("compact", 3, (16, 16), (64,), True, 8))
    pixels = torch.randint(0, 256, (40, 3, 16, 16), dtype=torch.uint8)
    generator = torch.Generator().manual_seed(0)
    cached = torch.cat(list(cache_features(network, pixels, TURNED, generator, None)))
    order = torch.randperm(40, generator=torch.Generator().manual_seed(0))
    features, _ = infer(network, pixels, symmetries=TURNED)
    assert np.allclose(cached.numpy(), features[order.numpy()], atol=1e-5)


def test_every_patch_meets_one_of_its_neighbours():
    neighbours = torch.tensor([[1, 2], [0, 2], [0, 1]])
    cache = FeatureCache(torch.randn(3, 4), neighbours)
    chosen = torch.tensor([0, 1, 2]).repeat(50)
    generator = torch.Generator().manual_seed(0)
    first, second = cache.pairs(chosen, generator).chunk(2)
    assert torch.equal(first, chosen)
    assert (second != chosen).all()
    assert set(zip(first.tolist(), second.tolist(), strict=True)) == {
        (i, j) for i in range(3) for j in range(3) if i != j
    }
