"""Muon's steps are orthogonal, convolutions included, and it learns."""

from __future__ import annotations

import pytest
import torch
from torch import nn

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
