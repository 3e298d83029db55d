"""How long a run is going to take, from a few steps on this machine."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any, Concatenate, ParamSpec, TypeVar

import torch

from napari_patchmap.methods.losses import cauchy_infonce
from napari_patchmap.methods.stage import Stage
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.networks.device import Device
from napari_patchmap.networks.out_of_memory import is_out_of_memory
from napari_patchmap.patches.watch import Watch
from napari_patchmap.training.optimisers import make_optimiser

P = ParamSpec("P")
T = TypeVar("T")

#: Time that is spent on measuring, in seconds, and repetitions at most.
_PATIENCE, _REPEATS = 0.4, 5

#: Seconds for which a measurement holds.
_HOLDS = 30.0

#: Where repetitions differ by less than this they say the same; and where this thread had
#: a core for itself for most of the time, no other program made it slow.
_VARIES = 1.6

#: Share of a backward pass that goes through the last blocks, and of one that asks for
#: gradients of low-rank adapters and not of all weights, about.
_LAST_BLOCKS, _ADAPTERS = 0.5, 0.6

#: Part of the training that making views takes, on top of the network.
VIEWS = 1.1


@dataclass(frozen=True)
class Speed:
    """What a device needs for one patch.

    Parameters
    ----------
    train : float
        Seconds for two views forward and backward, without making them.
    look : float
        Seconds for one view forward.
    head : float
        Seconds for two features through the projector, forward and backward.
    memory : int
        Bytes that the backward pass keeps for two views.
    doubt : (float, float)
        Between how many times as long all of it may take, (1, 1) where repetitions and the
        computer were steady.
    """

    train: float
    look: float
    head: float
    memory: int
    doubt: tuple[float, float] = (1.0, 1.0)


def backbone_seconds(speed: Speed, stage: Stage) -> float:
    """Seconds for two views forward, and backward through what moves of the backbone."""
    look = 2 * speed.look
    share = {"blocks": _LAST_BLOCKS, "adapters": _ADAPTERS}.get(stage.trains, 1.0)
    return look + share * max(0.0, speed.train - look) if share < 1 else speed.train


def kept_for_a_while(
    measure: Callable[Concatenate[Watch, P], T],
) -> Callable[Concatenate[Watch, P], T]:
    """Let a measurement hold for some seconds: of a computer that may be busy any moment.

    One that is ended before time is not kept.
    """
    known: dict[Any, tuple[float, T]] = {}

    @functools.wraps(measure)
    def kept(watch: Watch, *args: P.args, **named: P.kwargs) -> T:
        now, key = time.monotonic(), (args, tuple(named.items()), torch.get_num_threads())
        for old in [k for k, (when, _) in known.items() if now - when > _HOLDS]:
            del known[old]
        if key not in known:
            known[key] = now, measure(watch, *args, **named)
        return known[key][1]

    return kept


@kept_for_a_while
def update_seconds(watch: Watch, stage: Stage, spec: NetworkSpec, device: Device) -> float:
    """Seconds for a step of a stage's optimiser, without what computes its gradients.

    ``watch`` may end it between two steps.
    """
    watch.check()
    with torch.random.fork_rng():
        network = Network(spec).to(device.target)
    optimiser = make_optimiser(stage, network)
    for group in optimiser.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    return median(_times(optimiser.step, device.target, watch))


@kept_for_a_while
def measure_speed(
    watch: Watch,
    spec: NetworkSpec,
    device: Device,
    batch_size: int,
    *,
    trains: bool = True,
    attempt: int = 1,
) -> Speed:
    """Time a network on a device with made-up images, in about a second on a CPU.

    Random states of the caller are not touched. Where nothing ``trains``, it only looks at
    patches; another ``attempt`` measures anew while the last measurement still holds.
    ``watch`` may end it between two passes.
    """
    watch.check()
    # A GPU is only busy with a whole batch; a CPU takes time in proportion.
    count = min(8, batch_size) if device.is_cpu else batch_size
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Network(spec).to(device.target)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        while True:
            try:
                return _measure(network, device, count, batch_size, trains, watch)
            except RuntimeError as error:
                if count <= 8 or not is_out_of_memory(error):
                    raise
                count //= 2


def _measure(
    network: Network, device: Device, count: int, batch_size: int, trains: bool, watch: Watch
) -> Speed:
    spec, target = network.spec, device.target

    def images() -> torch.Tensor:
        shape = (2 * count, spec.channels, *spec.size)
        return torch.rand(shape, device=target).contiguous(memory_format=torch.channels_last)

    def learn(part: Callable[[torch.Tensor], torch.Tensor], given: torch.Tensor) -> None:
        with device.autocast():
            outputs = part(given)
        network.zero_grad(set_to_none=True)
        cauchy_infonce(outputs).backward()

    def train() -> None:
        learn(network, views)

    @torch.no_grad()
    def look() -> None:
        with device.autocast():
            network.features(views)

    views = images()
    if not trains:
        network.eval()
        times, doubt = _doubted(look, target, watch)
        return Speed(0.0, median(times) / (2 * count), 0.0, 0, doubt)
    # Larger batches are faster per patch on a CPU, until its caches are full.
    while device.is_cpu and count < min(batch_size, 128):
        if min(_times(train, target, watch, 1)) > 0.1:
            break
        count = min(batch_size, 2 * count)
        views = images()
    network.train()
    watch.check()
    kept = _kept_bytes(train) // count
    times, doubt = _doubted(train, target, watch)
    features = torch.rand(2 * batch_size, network.width, device=target)
    head = _times(lambda: learn(network.project, features), target, watch)
    network.eval()
    return Speed(
        train=median(times) / count,
        look=median(_times(look, target, watch)) / (2 * count),
        head=median(head) / batch_size,
        memory=kept,
        doubt=doubt,
    )


def _doubted(
    work: Callable[[], None], device: torch.device, watch: Watch
) -> tuple[list[float], tuple[float, float]]:
    """Seconds of some repetitions, and between how many times as long they may take."""
    began, worked = time.perf_counter(), time.thread_time()
    times = _times(work, device, watch)
    varies = max(times) / min(times)
    high = varies if varies > _VARIES else 1.0
    had = (time.thread_time() - worked) / (time.perf_counter() - began)
    waits = device.type == "cpu" and had < 1 / _VARIES
    # What was measured slow now and fast then may be all slow, or all fast.
    return times, (min(1 / high, max(0.1, had) if waits else 1.0), high)


def _kept_bytes(work: Callable[[], None]) -> int:
    """Bytes that are kept for the backward pass of some work."""
    kept: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        work()
    return sum(kept.values())


def _times(
    work: Callable[[], None], device: torch.device, watch: Watch, repeats: int = _REPEATS
) -> list[float]:
    """Seconds of some repetitions, after a first one that does not count.

    Beside other programs one may take a second: before each it is asked whether to end.
    """
    times: list[float] = []
    began = time.perf_counter()
    for repeat in range(1 + repeats):
        watch.check()
        start = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        elif device.type == "mps":
            torch.mps.synchronize()
        now = time.perf_counter()
        if repeat:
            times.append(now - start)
            if now - began > _PATIENCE:
                break
    return times
