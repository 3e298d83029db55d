"""The network's forward and backward pass as fused kernels, where that is faster."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from napari_patchmap.networks import Network
from napari_patchmap.networks.device import Device
from napari_patchmap.patches.cache.cache_folder import cache_folder
from napari_patchmap.training.budget.speeds import recall, remember

log = logging.getLogger(__name__)

#: Stages that are expected to be shorter than this, in seconds, are not worth the
#: minute that compiling takes the first time.
WORTH_SECONDS = 300.0

#: Or than so many times what compiling takes once compiled code lies on disk: it saves about
#: a quarter of a stage.
_WORTH_TIMES = 8.0

#: Of the first time, when nothing lies there yet; a guess until it was seen.
_AGAIN = 0.25

#: Where torch looks for compiled code and keeps it.
_FOLDER = "TORCHINDUCTOR_CACHE_DIR"

#: A fused pass must take less than this share of the plain one.
_GAIN = 0.97

#: Passes that are timed.
_REPEATS = 5

Forward = Callable[[Tensor], Tensor]


def wants_fusing(setting: str, device: Device, seconds: float, work: str) -> bool:
    """Whether fusing is tried in a stage that is expected to take so many seconds.

    "auto" tries it on GPUs of NVIDIA, for long stages: on CPUs a run must be the same
    whenever it is repeated, and a choice by the clock is not. Shorter stages are worth it
    where ``work``, the name of what is compiled, was compiled here before.
    """
    if setting != "auto":
        return setting == "on"
    took = recall(work)
    worth = WORTH_SECONDS if took is None else min(WORTH_SECONDS, _WORTH_TIMES * took)
    return device.target.type == "cuda" and seconds >= worth


def fused(
    network: Network, views: Tensor, device: Device, work: str, *, chosen: bool = False
) -> Forward | None:
    """Compile a network for views (2 b, channel, height, width), and try it.

    Returns what computes its output; None where torch cannot compile it (no compiler for
    this system, an operation that is not supported) or the plain network is as fast, which
    is no reason to trouble anybody. If ``chosen``, it was faster before the interruption.
    Other shapes must not be given to it, each would be compiled anew. Weights, buffers and
    gradients stay as they are. Compiled code is kept beside decoded patches for the next run,
    and what compiling took is remembered by the name ``work``.
    """
    os.environ.setdefault(_FOLDER, str(cache_folder() / "compiled"))
    with _unchanged(network, device):
        try:
            compiled: Forward = torch.compile(network.forward, dynamic=False)
            plain, began = _seconds(network, views, device), time.perf_counter()
            fast = _seconds(compiled, views, device)
            spent = time.perf_counter() - began - _REPEATS * fast
            remember({work: max(spent, 0.1) * (1 if recall(work) else _AGAIN)})
        except Exception as error:  # noqa: BLE001 - compilers fail in any way
            log.info("not fused: %s", (str(error).strip() or repr(error)).splitlines()[0])
            return None
    log.info("a pass takes %.1f ms, fused %.1f ms", 1000 * plain, 1000 * fast)
    return compiled if chosen or fast < _GAIN * plain else None


def _seconds(call: Forward, views: Tensor, device: Device) -> float:
    """Shortest time of a pass forward and backward, after a first that does not count."""
    best = float("inf")
    for repeat in range(1 + _REPEATS):
        _wait(device)
        began = time.perf_counter()
        with device.autocast():
            output = call(views)
        output.square().mean().backward()
        _wait(device)
        if repeat:
            best = min(best, time.perf_counter() - began)
    return best


def _wait(device: Device) -> None:
    if device.target.type == "cuda":
        torch.cuda.synchronize()


@contextmanager
def _unchanged(network: Network, device: Device) -> Iterator[None]:
    """Put buffers, gradients and random numbers back to what they were."""
    buffers = {name: value.clone() for name, value in network.named_buffers()}
    gradients = [parameter.grad for parameter in network.parameters()]
    network.zero_grad(set_to_none=True)
    gpus = [torch.cuda.current_device()] if device.target.type == "cuda" else []
    try:
        with torch.random.fork_rng(gpus):
            yield
    finally:
        with torch.no_grad():
            for name, value in network.named_buffers():
                value.copy_(buffers[name])
        for parameter, gradient in zip(network.parameters(), gradients, strict=True):
            parameter.grad = gradient
