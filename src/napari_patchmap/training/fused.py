"""Views, and the network's forward and backward pass, as fused kernels where that is faster."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor

from napari_patchmap.augment import ViewMaker
from napari_patchmap.augment.both_views import BothViews, pair_of
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

#: Makes both views (2 b, channel, height, width) of a batch of patches.
MakePair = Callable[[Tensor, torch.Generator], Tensor]

Work = Callable[[], object]

Call = TypeVar("Call", bound=Callable[..., Tensor])


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


class Fuser:
    """Compiles what a step is made of, and tries it.

    Nothing is fused where torch cannot compile it (no compiler for this system, an operation
    that is not supported) or the plain way is as fast, which is no reason to trouble anybody.
    Compiled code is kept beside decoded patches for the next run, and what compiling took is
    remembered by the name ``work``. Of a run that is resumed, ``chosen`` names what was
    faster before the interruption: "network", "views".

    Launches are not recorded (CUDA graphs, "reduce-overhead"): that saves the host's time, of
    which a step on a GPU takes less than of the GPU's, and holds the memory of a step for good,
    so that steps could not be made in parts when memory becomes short.
    """

    def __init__(self, device: Device, work: str, chosen: Collection[str] = ()) -> None:
        os.environ.setdefault(_FOLDER, str(cache_folder() / "compiled"))
        # Compiled code of trainings before is forgotten: of one function torch keeps no more
        # than eight, and would compile none for the ninth training.
        torch.compiler.reset()
        self._device, self._work, self._chosen = device, work, chosen
        self._share, self._spent = 1.0 if recall(work) else _AGAIN, 0.0

    def network(self, network: Network, views: Tensor) -> Forward | None:
        """Compile a network for views (2 b, channel, height, width).

        Other shapes must not be given to what is returned, each would be compiled anew.
        Weights, buffers and gradients stay as they are.
        """

        def passing(forward: Forward) -> Work:
            def work() -> None:
                with self._device.autocast():
                    output = forward(views)
                output.square().mean().backward()

            return work

        def compiled() -> Forward:
            forward: Forward = torch.compile(network.forward, dynamic=False)
            return forward

        plain: Forward = network
        with _unchanged(network, self._device):
            return self._try("network", passing, plain, compiled)

    def views(self, maker: ViewMaker, patches: Tensor) -> MakePair | None:
        """Compile the making of both views of a batch of uint8 patches."""
        lot = torch.Generator(patches.device).manual_seed(0)

        def passing(make: MakePair) -> Work:
            return lambda: make(patches, lot)

        plain: MakePair = partial(pair_of, maker)

        def compiled() -> MakePair:
            return BothViews(maker, partial(torch.compile, dynamic=False, fullgraph=True))

        return self._try("views", passing, plain, compiled)

    def _try(
        self,
        name: str,
        passing: Callable[[Call], Work],
        plain: Call,
        compiled: Callable[[], Call],
    ) -> Call | None:
        """Return what is compiled if it is faster, or was."""
        try:
            usual, began, call = self._seconds(passing(plain)), time.perf_counter(), compiled()
            fast = self._seconds(passing(call))
            self._spent += time.perf_counter() - began - _REPEATS * fast
            if not self._chosen:  # which may be a part of it alone
                remember({self._work: max(self._spent, 0.1) * self._share})
        except Exception as error:  # noqa: BLE001 - compilers fail in any way
            reason = (str(error).strip() or repr(error)).splitlines()[0]
            log.info("%s not fused: %s", name, reason)
            return None
        log.info("%s: %.1f ms, fused %.1f ms", name, 1000 * usual, 1000 * fast)
        return call if name in self._chosen or fast < _GAIN * usual else None

    def _seconds(self, work: Work) -> float:
        """Shortest time of some work, after a first that does not count."""
        best = float("inf")
        for repeat in range(1 + _REPEATS):
            _wait(self._device)
            began = time.perf_counter()
            work()
            _wait(self._device)
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
