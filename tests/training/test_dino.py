"""DINO: the teacher follows, views are what they should be, runs stop and resume."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from napari_patchmap.augment import AugmentConfig, ViewMaker
from napari_patchmap.methods.distillation import Distillation
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.networks.heads import Prototypes
from napari_patchmap.runs import Run, RunConfig, TrainConfig, is_unfinished
from napari_patchmap.training import fit
from napari_patchmap.training.teacher import Teacher
from tests.conftest import Steps, make_cells

QUICK = {"method": "dino", "device": "cpu", "epochs": (3,), "batch_size": 20}


def config(**settings):
    return RunConfig(TrainConfig(**{**QUICK, **settings}))


@pytest.fixture(scope="module")
def run():
    return fit(make_cells(), config())


def network(backbone="compact", size=(16, 16)):
    torch.manual_seed(0)
    spec = NetworkSpec(backbone, 3, size, (32, 16), False, 24, head="prototypes")
    return Network(spec).train()


def teacher_of(student, augment=None, **settings):
    maker = ViewMaker(augment or AugmentConfig(), is_rgb=True, fill=np.zeros(3))
    return Teacher(student, Distillation(**settings), maker)


def step(teacher, student, seed=0, done=0.5, count=12):
    pixels = (torch.rand(count, 3, *student.spec.size) * 255).byte()
    generator = torch.Generator().manual_seed(seed)
    autocast = torch.autocast("cpu", enabled=False)
    return teacher.loss(pixels, slice(0, count), generator, autocast, done)


def test_prototypes_are_a_weight_normed_layer_of_length_one():
    torch.manual_seed(0)
    layer, known = (
        Prototypes(6, 9),
        nn.utils.parametrizations.weight_norm(nn.Linear(6, 9, bias=False)),
    )
    with torch.no_grad():
        known.parametrizations.weight.original0.fill_(1.0)
        known.parametrizations.weight.original1.copy_(layer.weight)
    features = torch.randn(4, 6)
    wanted = known(nn.functional.normalize(features, dim=1))
    torch.testing.assert_close(layer(features), wanted)
    # Lengths of features and directions do not matter.
    with torch.no_grad():
        layer.weight.mul_(7)
    torch.testing.assert_close(layer(3 * features), wanted)


def test_the_compact_student_comes_to_tell_patches_apart(whole_network):
    # One that says the same of every patch has a loss of log(64) = 4.2.
    history = fit(make_cells(100), config(epochs=(16,))).history
    assert history["loss"].iloc[0] > 3.9
    assert history["loss"].iloc[-1] < 3.7


def test_the_teacher_follows_by_its_momentum_and_gets_no_gradient():
    student = network()
    teacher = teacher_of(student, momentum=(0.9, 0.9))
    before = [p.detach().clone() for p in teacher.network.parameters()]
    with torch.no_grad():
        for parameter in student.parameters():
            parameter.add_(1.0)
    step(teacher, student).backward()
    assert all(p.grad is None for p in teacher.network.parameters())
    assert any(p.grad is not None for p in student.parameters())
    teacher.after_step(0.5)
    for old, now, theirs in zip(
        before, teacher.network.parameters(), student.parameters(), strict=True
    ):
        torch.testing.assert_close(now, 0.9 * old + 0.1 * theirs)


def test_the_centre_is_the_moving_mean_of_what_the_teacher_says():
    student = network()
    teacher, said = teacher_of(student), []
    teacher.network.register_forward_hook(lambda *args: said.append(args[2].detach()))
    step(teacher, student)
    teacher.after_step(0.5)
    torch.testing.assert_close(teacher.centre, 0.1 * said[0].mean(dim=0))
    step(teacher, student, seed=1)
    teacher.after_step(0.5)
    wanted = 0.9 * 0.1 * said[0].mean(dim=0) + 0.1 * said[1].mean(dim=0)
    torch.testing.assert_close(teacher.centre, wanted)


def test_there_are_two_large_views_and_as_many_small_ones_as_wanted():
    student, seen = network(size=(32, 32)), []
    teacher = teacher_of(student, local_crops=3, local_size=0.5)
    student.register_forward_hook(lambda *args: seen.append(tuple(args[1][0].shape)))
    step(teacher, student)
    assert seen == [(24, 3, 32, 32), (36, 3, 16, 16)]


def test_networks_of_one_size_get_small_views_enlarged():
    student, seen = network("vit_tiny_patch16_224", size=(32, 32)), []
    teacher = teacher_of(student, local_crops=1, local_size=0.5)
    student.register_forward_hook(lambda *args: seen.append(tuple(args[1][0].shape)))
    step(teacher, student, count=4)
    assert seen == [(8, 3, 32, 32), (4, 3, 32, 32)]


def test_areas_blur_and_solarisation_differ_between_views():
    first, second, small = teacher_of(network(), AugmentConfig.preset("dino"))._makers
    assert [m.config.blur_share for m in (first, second, small)] == [1.0, 0.1, 0.5]
    assert [m.config.solarise for m in (first, second, small)] == [False, True, False]
    assert (first.config.crop_smallest, first.config.crop_largest) == (0.5, 1.0)
    assert (small.config.crop_smallest, small.config.crop_largest) == (0.1, 0.5)


def test_gradients_are_clipped_and_the_last_layer_rests():
    student = network()
    teacher = teacher_of(student, frozen_epochs=1.0)
    optimiser = torch.optim.AdamW(
        [{"params": list(student.parameters()), "weight_decay": 0.04}], lr=0.1
    )
    for parameter in student.parameters():
        parameter.grad = torch.full_like(parameter, 100.0)
    teacher.before_step(optimiser, 1.0, epoch=0.5)
    assert student.output.weight.grad is None
    linear = student.hidden[0].weight
    rows = linear.grad.norm(dim=1) / linear.detach().norm(dim=1).clamp_min(1e-3)
    torch.testing.assert_close(rows, torch.full_like(rows, 0.32))
    assert optimiser.param_groups[0]["weight_decay"] == pytest.approx(0.4)
    student.output.weight.grad = torch.ones_like(student.output.weight)
    teacher.before_step(optimiser, 0.0, epoch=1.5)
    assert student.output.weight.grad is not None


def test_parts_of_a_batch_sum_up_to_the_whole():
    """Where nothing looks across patches, a step in parts is that step."""
    torch.manual_seed(0)
    student = network()
    student.eval()  # batch normalisation would look across patches
    pixels = torch.rand(12, 3, 16, 16, generator=torch.Generator().manual_seed(3))
    pixels, autocast = (255 * pixels).byte(), torch.autocast("cpu", enabled=False)
    gradients = []
    for parts in ([slice(0, 12)], [slice(0, 5), slice(5, 12)]):
        student.zero_grad()
        teacher = teacher_of(copy.deepcopy(student))
        teacher._student = student
        teacher.network.eval()
        for part in parts:
            generator = torch.Generator().manual_seed(7)
            loss = teacher.loss(pixels, part, generator, autocast, 0.5)
            (loss * ((part.stop - part.start) / 12)).backward()
        teacher.after_step(0.5)
        gradients.append(([p.grad.clone() for p in student.parameters()], teacher.centre))
    for one, other in zip(gradients[0][0], gradients[1][0], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(gradients[0][1], gradients[1][1])


def test_a_map_is_made_of_the_teachers_features(run, tmp_path):
    assert (run.layout, run.complete) == ("tsne", True)
    assert run.embedding.shape == (60, 2)
    assert np.isfinite(run.features).all()
    assert run.network.spec.head == "prototypes"
    again = Run.load(run.save(tmp_path / "run"))
    placed = again.transform(make_cells())
    assert np.median(np.linalg.norm(placed - run.embedding, axis=1)) < 0.2 * np.ptp(
        run.embedding
    )


def test_it_learns_to_tell_kinds_apart():
    cells = make_cells(240)
    run = fit(cells, config(epochs=(25,), batch_size=60))
    assert run.metrics["knn"]["accuracy"] > 0.8


def test_a_stopped_run_is_resumed_to_the_same_map(run, tmp_path, cells):
    stopped = fit(cells, config(), folder=tmp_path / "run", **Steps(4).given)
    assert not stopped.complete
    assert is_unfinished(tmp_path / "run")
    resumed = fit(cells, folder=tmp_path / "run", resume=True)
    np.testing.assert_array_equal(resumed.features, run.features)
    np.testing.assert_array_equal(resumed.embedding, run.embedding)
