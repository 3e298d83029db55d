"""What a training step on a GPU is made of: views, kernels, and who waits for whom.

    python benchmarks/step_parts.py pbc28.npz [--backbone resnet18-small-kernel]
        [--batch-size 1024] [--steps 20] [--device cuda]

Real steps of SimCLR, as :func:`napari_patchmap.training.fit` makes them, are measured in the
middle of a training, plain and compiled:

- *ms*: of a step, from a GPU at rest to a GPU at rest, over several steps;
- *host ms*: until the host has asked for all of it. Where this is as long, the GPU waits for
  the host, and fewer kernels are faster; where it is shorter, they are not;
- *views*: share of the step's time between the first and the last kernel that makes views;
- *kernels*, *of views*: launches in a step;
- *GPU busy*: share of the step in which a kernel ran, by torch's profiler. The rest are gaps;
- *waits*: places of a step that wait for the GPU, as ``set_sync_debug_mode`` finds them.

On a CPU there are no launches: only the times and the share of views are printed.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from blood_cells import machine
from torch.profiler import ProfilerActivity, profile

from napari_patchmap.augment import AugmentConfig
from napari_patchmap.patches import PatchSet, open_patches
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit
from napari_patchmap.training.learners.from_views import ViewsLearner
from napari_patchmap.training.stage_run import StageRun

#: Steps that are not measured, and those that are profiled.
_WARM, _PROFILED = 10, 5


class Meter:
    """Measures the steps of a training from inside of it."""

    def __init__(self, steps: int, device: str) -> None:
        self._steps, self._cuda = steps, device == "cuda"
        self._made = 0
        self.found: dict[str, float] = {}
        self._marks: list[tuple[Any, Any]] = []
        self._host = 0.0

    @property
    def over(self) -> bool:
        """Whether enough steps were made."""
        last = _WARM + self._steps + (1 + 2 * _PROFILED) * self._cuda
        return self._made >= last

    def views(self, work: Callable[..., Any], *args: Any) -> Any:
        """Note when views begin and end."""
        began = self._mark()
        made = work(*args)
        self._marks.append((began, self._mark()))
        return made

    def step(self, work: Callable[..., Any], *args: Any) -> Any:
        """Measure a step, or watch it, by its number."""
        number, self._made = self._made - _WARM, self._made + 1
        if number == 0:
            self._rest()
            self._marks.clear()
            self._began, self._host = time.perf_counter(), 0.0
        if 0 <= number < self._steps:
            asked = time.perf_counter()
            made = work(*args)
            self._host += time.perf_counter() - asked
            if number == self._steps - 1:
                self._rest()
                self._count(time.perf_counter() - self._began)
            return made
        if number == self._steps and self._cuda:
            return self._watched(work, *args)
        if number > self._steps and self._cuda:
            return self._profiled(number - self._steps - 1, work, *args)
        return work(*args)

    def _count(self, seconds: float) -> None:
        each = 1000 / self._steps
        if self._cuda:
            views = sum(one.elapsed_time(other) for one, other in self._marks) / 1000
        else:
            views = sum(other - one for one, other in self._marks)
        self.found |= {"ms": seconds * each, "host ms": self._host * each}
        self.found["views"] = views / seconds

    def _watched(self, work: Callable[..., Any], *args: Any) -> Any:
        torch.cuda.set_sync_debug_mode("warn")
        try:
            with warnings.catch_warnings(record=True) as seen:
                warnings.simplefilter("always")
                return work(*args)
        finally:
            torch.cuda.set_sync_debug_mode("default")
            self.found["waits"] = sum("synchroniz" in str(one.message) for one in seen)

    def _profiled(self, number: int, work: Callable[..., Any], *args: Any) -> Any:
        # The first half makes views besides, so that what they add is what they launch.
        if number in (0, _PROFILED):
            self._rest()
            self._profile = profile(activities=[ProfilerActivity.CUDA])
            self._profile.start()
            self._began = time.perf_counter()
        made = work(*args)
        if number < _PROFILED:
            learner = args[0]._learner
            learner._views(args[1][1], slice(0, len(args[1][1])), 0)
        if number in (_PROFILED - 1, 2 * _PROFILED - 1):
            self._rest()
            seconds = time.perf_counter() - self._began
            self._profile.stop()
            kernels = [e for e in self._profile.events() if e.device_type.name == "CUDA"]
            count, more = len(kernels) / _PROFILED, self.found.get("kernels", 0.0)
            self.found |= {"kernels": count, "of views": more - count}
            busy = sum(one.device_time for one in kernels) / 1e6
            self.found["GPU busy"] = busy / seconds
        return made

    def _mark(self) -> Any:
        if not self._cuda:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def _rest(self) -> None:
        if self._cuda:
            torch.cuda.synchronize()


def measure(patches: PatchSet, config: RunConfig, steps: int, device: str) -> dict[str, float]:
    """Measure the steps of a training."""
    meter = Meter(steps, device)
    step, views = StageRun._step, ViewsLearner._views
    StageRun._step = lambda self, fed: meter.step(step, self, fed)  # type: ignore[method-assign]
    ViewsLearner._views = lambda self, *given: meter.views(views, self, *given)  # type: ignore[method-assign]
    try:
        fit(patches, config, should_stop=lambda: meter.over)
    finally:
        StageRun._step, ViewsLearner._views = step, views  # type: ignore[method-assign]
    return meter.found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--backbone", default="resnet18-small-kernel")
    parser.add_argument("--batch-size", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--device", default="cuda")
    asked = parser.parse_args()
    patches = open_patches(asked.data)
    print(f"{machine()}; {asked.backbone}, batch {asked.batch_size}\n")
    columns = ("ms", "host ms", "views", "kernels", "of views", "GPU busy", "waits")
    print(f"| step | {' | '.join(columns)} |\n|{'---|' * (1 + len(columns))}", flush=True)
    for optimiser in ("sgd", "muon"):
        for compiling in ("off", "on"):
            train = TrainConfig(
                method="simclr",
                epochs=(1e5,),
                batch_size=asked.batch_size,
                backbone=asked.backbone,
                device=asked.device,
                optimiser=optimiser,
                compile=compiling,
            )
            config = RunConfig(train, AugmentConfig.preset("rotations"))
            name = f"{optimiser}{', compiled' * (compiling == 'on')}"
            try:
                found = measure(patches, config, asked.steps, asked.device)
            except Exception as error:  # noqa: BLE001 - the other rows are to be seen
                print(f"| {name}: {str(error).splitlines()[0][:80]} |{'  |' * len(columns)}")
                continue
            said = [said_of(name, found.get(name)) for name in columns]
            print(f"| {name} | {' | '.join(said)} |", flush=True)


def said_of(column: str, value: float | None) -> str:
    """Write a number of the table."""
    if value is None:
        return ""
    if column in ("views", "GPU busy"):
        return f"{value:.1%}"
    return f"{value:.1f}" if "ms" in column else f"{value:.0f}"


if __name__ == "__main__":
    main()
