"""Equation (2) against a float64 reference."""

from __future__ import annotations

import pytest
import torch

from napari_patchmap.methods.losses import cauchy_infonce, nt_xent


def equation_2(outputs: torch.Tensor) -> torch.Tensor:
    """Compute the loss view by view, as the paper writes it, in double precision."""
    outputs = outputs.double()
    views = len(outputs)
    total = torch.zeros((), dtype=torch.float64)
    for i in range(views):
        j = (i + views // 2) % views
        similarity = 1 / (1 + (outputs - outputs[i]).square().sum(dim=1))
        others = similarity.sum() - similarity[i]
        total = total - torch.log(similarity[j] / others)
    return total / views


def pairs(dimensions: int, spread: float, patches: int = 40) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    first = spread * torch.randn(patches, dimensions, generator=generator)
    return torch.cat([first, first + torch.randn(patches, dimensions, generator=generator)])


@pytest.mark.parametrize("spread", [0.01, 1.0, 30.0, 500.0])
def test_two_dimensions_are_exact_at_any_scale(spread):
    outputs = pairs(2, spread)
    assert float(cauchy_infonce(outputs)) == pytest.approx(float(equation_2(outputs)), abs=2e-6)


@pytest.mark.parametrize("spread", [0.01, 1.0, 30.0])
def test_many_dimensions(spread):
    outputs = pairs(128, spread)
    assert float(cauchy_infonce(outputs)) == pytest.approx(float(equation_2(outputs)), abs=1e-4)


@pytest.mark.parametrize("dimensions", [2, 128])
def test_gradient(dimensions):
    outputs = pairs(dimensions, 3.0).requires_grad_()
    exact = outputs.detach().double().requires_grad_()
    cauchy_infonce(outputs).backward()
    equation_2(exact).backward()
    assert torch.allclose(outputs.grad.double(), exact.grad, atol=1e-6)


def test_half_precision_outputs_far_away_stay_finite():
    outputs = (pairs(2, 1.0) * 2000).half()
    assert torch.isfinite(cauchy_infonce(outputs))


def test_views_at_the_same_place_are_safe():
    outputs = torch.zeros(20, 2, requires_grad=True)
    loss = cauchy_infonce(outputs)
    loss.backward()
    assert float(loss) == pytest.approx(float(torch.log(torch.tensor(19.0))))
    assert torch.isfinite(outputs.grad).all()


def equation_1(outputs: torch.Tensor, temperature: float) -> torch.Tensor:
    """Compute NT-Xent view by view, as the paper writes it, in double precision."""
    outputs = outputs.double()
    outputs = outputs / outputs.norm(dim=1, keepdim=True)
    views = len(outputs)
    total = torch.zeros((), dtype=torch.float64)
    for i in range(views):
        j = (i + views // 2) % views
        similarity = torch.exp(outputs @ outputs[i] / temperature)
        total = total - torch.log(similarity[j] / (similarity.sum() - similarity[i]))
    return total / views


@pytest.mark.parametrize("temperature", [0.05, 0.1, 0.5, 2.0])
@pytest.mark.parametrize("spread", [0.01, 500.0])
def test_nt_xent(temperature, spread):
    outputs = pairs(128, spread).requires_grad_()
    exact = outputs.detach().double().requires_grad_()
    loss, wanted = nt_xent(outputs, temperature), equation_1(exact, temperature)
    assert float(loss) == pytest.approx(float(wanted), abs=2e-5)
    loss.backward()
    wanted.backward()
    assert torch.allclose(outputs.grad.double(), exact.grad, rtol=1e-3, atol=1e-6 / spread)


def test_nt_xent_in_half_precision_and_of_outputs_that_are_all_the_same():
    half = pairs(128, 1.0).half()
    assert float(nt_xent(half)) == pytest.approx(float(equation_1(half.float(), 0.5)), abs=1e-4)
    outputs = torch.zeros(20, 8, requires_grad=True)
    loss = nt_xent(outputs, 0.1)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(float(torch.log(torch.tensor(19.0))))
    assert torch.isfinite(outputs.grad).all()
