"""A step in parts is the step, whatever the memory; and memory that runs out is survived."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from napari_patchmap.errors import TrainingError
from napari_patchmap.methods.losses import cauchy_infonce
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.training.distributed.ranks import Ranks
from napari_patchmap.training.step import Gradient

ROOT = Path(__file__).parents[2]
PATCHES = 37


def network(norm: bool = False) -> Network:
    torch.manual_seed(0)
    spec = NetworkSpec("compact", 3, (12, 12), hidden=(32,), norm=norm, out_dim=2)
    return Network(spec).double()


def gradients(
    net: Network, parts: int, notes: list[str] | None = None, limit: int = 10**9, scaler=None
):
    """Gradients of a batch computed in parts; more than ``limit`` views do not fit."""
    views = torch.rand(
        2, PATCHES, 3, 12, 12, generator=torch.Generator().manual_seed(1)
    ).double()
    sizes = []

    def produce(part: slice) -> torch.Tensor:
        some = torch.cat([views[0, part], views[1, part]])
        if len(some) > limit:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        sizes.append(len(some) // 2)
        return net.output(net.hidden(net.features(some)))

    net.zero_grad()
    note = (notes if notes is not None else []).append
    step = Gradient(net, Ranks(), parts=parts, note=note, scaler=scaler)
    loss = step.compute(produce, PATCHES, cauchy_infonce)
    return loss, {name: p.grad.clone() for name, p in net.named_parameters()}, sizes, step


@pytest.mark.parametrize("parts", [2, 3, 4])
def test_a_step_in_parts_is_the_step_with_all_its_negatives(parts):
    net = network().eval()  # normalisation by the batch would see smaller batches
    loss, whole, _, _ = gradients(net, 1)
    same_loss, split, sizes, _ = gradients(net, parts)
    assert same_loss == pytest.approx(float(loss), rel=1e-6)
    assert max(sizes) <= -(-PATCHES // parts)
    for name in whole:
        assert torch.allclose(split[name], whole[name], rtol=1e-4, atol=1e-7), name


@pytest.mark.parametrize("parts", [1, 3])
def test_a_loss_that_is_scaled_for_float16_gives_scaled_gradients(parts):
    net = network().eval()
    _, plain, _, _ = gradients(net, 1)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    _, scaled, _, _ = gradients(net, parts, scaler=scaler)
    assert all(torch.allclose(scaled[n], 1024 * plain[n], rtol=1e-4, atol=1e-4) for n in plain)


def test_running_statistics_count_each_view_once():
    together, apart = network().train(), network().train()
    gradients(together, 1)
    gradients(apart, 2)
    norms = [m for m in apart.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert all(int(m.num_batches_tracked) == 2 for m in norms)
    assert all(m.momentum == 0.1 for m in norms)


def test_short_memory_is_told_and_the_step_is_made_all_the_same():
    net, notes = network().eval(), []
    _, whole, _, _ = gradients(net, 1)
    _, split, sizes, step = gradients(net, 1, notes, limit=30)
    assert step.parts == 4
    assert max(sizes) <= 15
    assert all(torch.allclose(split[n], whole[n], rtol=1e-4, atol=1e-7) for n in whole)
    assert notes[-1] == (
        "Memory was short: each step is now computed in 4 parts, with as many negatives as "
        "before (37 patches)."
    )


def test_too_little_memory_for_anything_is_one_sentence():
    with pytest.raises(TrainingError, match="not enough memory for 9 patches at once"):
        gradients(network().eval(), 1, limit=4)


def test_other_errors_are_not_taken_for_short_memory():
    net = network()

    def produce(_: slice) -> torch.Tensor:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="mat1"):
        Gradient(net, Ranks(), note=print).compute(produce, PATCHES, cauchy_infonce)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits memory as Linux does")
def test_a_step_for_which_memory_really_ends_is_made_in_parts():
    script = """
        import resource, torch
        from napari_patchmap.methods.losses import cauchy_infonce
        from napari_patchmap.networks import Network, NetworkSpec
        from napari_patchmap.training.distributed.ranks import Ranks
        from napari_patchmap.training.step import Gradient

        torch.set_num_threads(1)
        torch.manual_seed(0)
        spec = NetworkSpec("compact", 3, (16, 16), hidden=(32,), out_dim=2)
        net = Network(spec).eval()
        views = torch.rand(2, 128, 3, 16, 16)

        def gradient(parts):
            def produce(part):
                return net.output(net.hidden(net.features(torch.cat([*views[:, part]]))))
            net.zero_grad(set_to_none=True)
            step = Gradient(net, Ranks(), parts=parts, note=print)
            loss = step.compute(produce, 128, cauchy_infonce)
            return step.parts, loss, [p.grad.clone() for p in net.parameters()]

        def taken(what):  # in bytes; the peak is of the whole life of a process
            for line in open("/proc/self/status"):
                if line.startswith(what):
                    return 1024 * int(line.split()[1])

        gradient(8)  # the threads and libraries of a step are there
        before = taken("VmSize")
        _, wanted, right = gradient(1)
        step = taken("VmPeak") - before
        room = taken("VmSize") + int(0.75 * step)
        resource.setrlimit(resource.RLIMIT_AS, (room, -1))
        parts, loss, found = gradient(1)
        resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
        torch.testing.assert_close(loss, wanted)
        for mine, theirs in zip(found, right, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-5)
        print(step // 2**20, parts)
    """
    # Freed memory goes back at once, instead of being there to be used again.
    exact = os.environ | {"MALLOC_MMAP_THRESHOLD_": "262144", "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=ROOT, env=exact, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    *notes, last = done.stdout.strip().splitlines()
    assert int(last.split()[1]) > 1
    assert "as many negatives as before (128 patches)" in notes[0]
