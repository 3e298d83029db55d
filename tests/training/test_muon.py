"""Muon's steps are orthogonal, convolutions included, and it learns."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from napari_patchmap.training import muon
from napari_patchmap.training.muon import Muon, orthogonalised


@pytest.mark.parametrize("shape", [(40, 12), (12, 40), (30, 30)])
def test_singular_values_come_close_to_one(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonalised(matrix))
    assert float(values.min()) > 0.3
    assert float(values.max()) < 1.3
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    alike = torch.cosine_similarity(orthogonalised(matrix).flatten(), (u @ v).flatten(), dim=0)
    assert float(alike) > 0.95


def test_it_fits_a_small_network_with_convolutions():
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.Flatten(), nn.Linear(32, 1)
    )
    images, targets = torch.randn(64, 1, 6, 6), torch.randn(64, 1)
    matrices = [net[2].weight]
    others = [p for p in net.parameters() if p is not net[2].weight]
    optimiser = Muon(matrices, others, lr=0.02)
    losses = []
    for _ in range(150):
        loss = (net(images) - targets).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.parametrize("shape", [(40, 12), (12, 40)])
def test_several_matrices_are_orthogonalised_each_by_itself(shape):
    several = torch.randn(3, *shape, generator=torch.Generator().manual_seed(1))
    several *= torch.tensor([1e-3, 1.0, 50.0])[:, None, None]
    together = orthogonalised(several)
    for alone, one in zip(several, together, strict=True):
        torch.testing.assert_close(one, orthogonalised(alone), atol=1e-2, rtol=0)


def test_weights_of_one_shape_are_moved_together_as_they_are_one_by_one(monkeypatch):
    def moved(alike) -> list[torch.Tensor]:
        monkeypatch.setattr(muon, "_alike", alike)
        monkeypatch.setattr(muon, "has_bfloat16", lambda device: False)
        draw = torch.Generator().manual_seed(0)
        shapes = [(8, 4, 3, 3), (6, 10), (8, 4, 3, 3), (8, 4, 3, 3), (6, 10)]
        weights = [nn.Parameter(torch.randn(s, generator=draw)) for s in shapes]
        weights[2].data = weights[2].data.contiguous(memory_format=torch.channels_last)
        optimiser = Muon(weights, [], lr=0.05)
        for _ in range(3):
            for one in weights:
                one.grad = torch.randn(one.shape, generator=draw)
            weights[3].grad = None  # not every weight takes part in every step
            optimiser.step()
        return [one.detach() for one in weights]

    def by_shape(weights):
        shapes = dict.fromkeys(one.shape for one in weights)
        return [[one for one in weights if one.shape == shape] for shape in shapes]

    for together, alone in zip(moved(by_shape), moved(lambda w: [[o] for o in w]), strict=True):
        torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


def test_other_weights_are_moved_by_adam():
    draw = torch.Generator().manual_seed(0)
    weights = [nn.Parameter(torch.randn(shape, generator=draw)) for shape in [(5,), (4, 3)]]
    wanted = [nn.Parameter(one.detach().clone()) for one in weights]
    adam = torch.optim.Adam(wanted, lr=0.01, betas=(0.9, 0.95))
    optimiser = Muon([], weights, lr=0.02, adam_share=0.5)
    for step in range(4):
        for one, other in zip(weights, wanted, strict=True):
            one.grad = torch.randn(one.shape, generator=draw)
            other.grad = one.grad.clone()
        if step == 1:  # not every weight takes part in every step
            weights[0].grad = wanted[0].grad = None
        optimiser.step()
        adam.step()
    for one, other in zip(weights, wanted, strict=True):
        torch.testing.assert_close(one, other)
