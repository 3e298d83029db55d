"""DINO's loss, centre and schedules against float64 references."""

from __future__ import annotations

import math

import pytest
import torch

from napari_patchmap.methods.catalog import METHODS
from napari_patchmap.methods.distillation import Distillation, dino_loss, moved_centre


def algorithm_1(student, teacher, centre, student_temperature, teacher_temperature):
    """Compute the loss pair by pair, as the paper writes it, in double precision."""
    student, teacher, centre = student.double(), teacher.double(), centre.double()
    terms = []
    for t in range(len(teacher)):
        for s in range(len(student)):
            if s == t:
                continue
            for i in range(student.shape[1]):
                p = torch.exp((teacher[t, i] - centre) / teacher_temperature)
                q = torch.exp(student[s, i] / student_temperature)
                terms.append(-(p / p.sum() * torch.log(q / q.sum())).sum())
    return torch.stack(terms).mean()


@pytest.mark.parametrize("views", [2, 7])
@pytest.mark.parametrize("temperatures", [(0.1, 0.04), (0.5, 0.3)])
def test_loss_and_gradient(views, temperatures):
    generator = torch.Generator().manual_seed(0)
    student = torch.rand(views, 5, 12, generator=generator).mul_(2).sub_(1).requires_grad_()
    teacher = torch.rand(2, 5, 12, generator=generator).mul_(2).sub_(1).requires_grad_()
    centre = 0.1 * torch.rand(12, generator=generator)
    exact = student.detach().double().requires_grad_()
    loss = dino_loss(student, teacher, centre, *temperatures)
    wanted = algorithm_1(exact, teacher.detach(), centre, *temperatures)
    assert float(loss) == pytest.approx(float(wanted), rel=1e-5)
    loss.backward()
    wanted.backward()
    assert teacher.grad is None
    torch.testing.assert_close(student.grad.double(), exact.grad, rtol=1e-3, atol=1e-6)


def test_the_centre_moves_to_the_mean():
    centre, mean = torch.tensor([1.0, 2.0]), torch.tensor([3.0, -2.0])
    torch.testing.assert_close(moved_centre(centre, mean, 0.9), torch.tensor([1.2, 1.6]))


def test_schedules():
    settings = Distillation(warmup=0.1)
    assert settings.temperature_at(0) == 0.02
    assert settings.temperature_at(0.05) == pytest.approx(0.03)
    assert settings.temperature_at(0.1) == settings.temperature_at(1) == pytest.approx(0.04)
    assert settings.momentum_at(0) == pytest.approx(0.9995)
    assert settings.momentum_at(1) == 1.0
    assert settings.momentum_at(0.5) == pytest.approx(0.99975)
    for done in (0.0, 0.3, 1.0):
        wanted = 0.4 + (0.04 - 0.4) * (1 + math.cos(math.pi * done)) / 2
        assert settings.decay_at(done) == pytest.approx(wanted)


def test_the_papers_recipe():
    method = METHODS["dino"]
    recipe = method.make_recipe("paper", (500.0,), 256)
    (stage,) = recipe.stages
    known = stage.objective
    assert (recipe.hidden, method.head, stage.dimensions) == (
        (2048, 2048, 256),
        "prototypes",
        65536,
    )
    assert (stage.optimiser, stage.lr) == ("adamw", pytest.approx(5e-4))
    assert stage.warmup * 500 == pytest.approx(2)
    assert known.warmup * 500 == pytest.approx(10)
    assert (known.local_crops, known.local_size) == (5, 0.375)
    assert (known.student_temperature, known.teacher_temperature) == (0.1, (0.02, 0.04))
    assert (known.centre_momentum, known.clipping, known.frozen_epochs) == (0.9, 0.32, 1.0)
