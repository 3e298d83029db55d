"""How fast networks are trained: views a second, beside tsimcne 0.3.12 and the network alone.

    python benchmarks/training_speed.py pbc28.npz [--backbone resnet18-small-kernel]
        [--batch-size 1024] [--seconds 20] [--device auto] [--peer /path/to/venv/bin/python]

All rows use the same images, network and batch, in turn on the same machine:

- *network alone*: forward, loss, backward and optimiser step of made-up images that
  lie on the device already, in the same precision and memory layout; the most that
  any program around the network can reach. On a GPU also with torch's fused kernels;
- *Patchmap*: whole steps of stage 1, as :func:`napari_patchmap.training.fit`
  makes them, views included, by its own reports; on a GPU also with fused kernels;
- *tsimcne*: whole epochs of stage 1 through its public class, in the Python of
  ``--peer``, where ``pip install tsimcne==0.3.12`` was run (0.4.24, the newest,
  cannot fit at all).

Below the table: what share of a step the making of views takes, and what share of the
products of large matrices, which are the most that the device computes, a step reaches.

``--augmentation`` compares the making of views with torchvision's operators on
PIL images, on one thread.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from blood_cells import machine
from peer import train_peer
from torch.utils.flop_counter import FlopCounterMode

from napari_patchmap.augment import AugmentConfig, ViewMaker
from napari_patchmap.methods.losses import cauchy_infonce
from napari_patchmap.networks import Network
from napari_patchmap.networks.vision import torchvision
from napari_patchmap.patches import PatchSet, open_patches
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit, make_plan
from napari_patchmap.training.malloc import keep_freed_memory
from napari_patchmap.training.plan import Plan
from napari_patchmap.training.progress import Progress


def row(name: str, speed: float, base: float) -> None:
    """Print a row of the table."""
    print(f"| {name} | {speed:,.0f} | {speed / base:.2f} |", flush=True)


def alone(plan: Plan, seconds: float, *, fused: bool = False) -> float:
    """Views a second of a bare loop around the network; the first steps do not count."""
    device, batch = plan.device, plan.batch_size
    if device.is_cpu:
        keep_freed_memory()  # as a run does
    step = bare_step(plan, fused=fused)
    for _ in range(3):
        step()
    wait(device.target)
    began, steps = time.perf_counter(), 0
    while steps < 3 or time.perf_counter() - began < seconds:
        for _ in range(1 if device.is_cpu else 10):
            step()
            steps += 1
        wait(device.target)
    return 2 * batch * steps / (time.perf_counter() - began)


def bare_step(plan: Plan, *, fused: bool = False) -> Callable[[], None]:
    """Return what makes one step of a network with made-up images."""
    device = plan.device
    network = Network(plan.spec).to(device.target)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.SGD(network.parameters(), 1e-3, momentum=0.9, nesterov=True)
    views = torch.rand(2 * plan.batch_size, plan.spec.channels, *plan.size)
    views = views.to(device.target).contiguous(memory_format=torch.channels_last)
    forward = torch.compile(network.forward, dynamic=False) if fused else network

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        with autocast(plan):
            outputs = forward(views)
        cauchy_infonce(outputs).backward()
        optimiser.step()

    return step


def autocast(plan: Plan) -> torch.autocast:
    """Precision of a run."""
    half = plan.device.half
    return torch.autocast(plan.device.target.type, dtype=half, enabled=half is not None)


def wait(device: torch.device) -> None:
    """Wait until a GPU has done its work."""
    if device.type == "cuda":
        torch.cuda.synchronize()


def patchmap(patches: PatchSet, config: RunConfig, seconds: float) -> float:
    """Views a second of whole steps; the first quarter of the time does not count."""
    seen: list[tuple[float, float]] = []

    def note(report: Progress) -> None:
        if report.stage == 1 and report.epoch > 0 and report.embedding is None:
            seen.append((time.perf_counter(), report.epoch))

    def over() -> bool:
        return len(seen) > 4 and time.perf_counter() - seen[0][0] > seconds

    fit(patches, config, progress=note, should_stop=over)
    first = next(i for i, one in enumerate(seen) if one[0] - seen[0][0] >= seconds / 4)
    (began, start), (ended, last) = seen[min(first, len(seen) - 2)], seen[-1]
    return 2 * len(patches) * (last - start) / (ended - began)


def making_views(patches: PatchSet, config: RunConfig, plan: Plan) -> float:
    """Views a second that are made on the device, without a network."""
    device = plan.device.target
    batch = torch.from_numpy(patches.pixels(range(plan.batch_size), plan.size)).to(device)
    fill = patches.border_colour(plan.size)
    maker = ViewMaker(config.augment, is_rgb=patches.is_rgb, fill=fill)
    generator = torch.Generator(device)
    best = float("inf")
    for _ in range(8):
        wait(device)
        began = time.perf_counter()
        maker(batch, generator)
        wait(device)
        best = min(best, time.perf_counter() - began)
    return len(batch) / best


def ceiling(plan: Plan) -> float:
    """Operations a second in products of large matrices, in the precision of the run."""
    device = plan.device
    size = 2048 if device.is_cpu else 8192
    kind = device.half or torch.float32
    one, other = (torch.randn(size, size, device=device.target, dtype=kind) for _ in "12")
    best = float("inf")
    for _ in range(8):
        wait(device.target)
        began = time.perf_counter()
        one @ other
        wait(device.target)
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best


def operations(plan: Plan) -> float:
    """Operations that the network needs for one view, forward and backward."""
    step = bare_step(plan)
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops() / (2 * plan.batch_size)


def peer(python: str, pixels: np.ndarray, batch: int, epochs: int, workers: int) -> float:
    """Views a second of tsimcne: what more epochs take more time than one."""
    times = [
        train_peer(
            python,
            pixels,
            total_epochs=[count, 0, 0],
            batch_size=batch,
            num_workers=workers,
            image_size=pixels.shape[1:3],
        )[0]
        for count in (1, 1 + epochs)
    ]
    return 2 * len(pixels) * epochs / (times[1] - times[0])


def augmentation(patches: PatchSet, batch: int) -> None:
    """Compare the making of views, on one thread."""
    from PIL import Image

    torchvision()  # which may need help to be imported
    from torchvision import transforms as t

    torch.set_num_threads(1)
    size = patches.training_size()
    config = AugmentConfig.preset("natural")
    some = torch.from_numpy(patches.pixels(range(batch), size)).contiguous()
    maker = ViewMaker(config, is_rgb=True, fill=patches.border_colour(size))
    generator = torch.Generator().manual_seed(0)
    images = [Image.fromarray(one) for one in some.permute(0, 2, 3, 1).numpy()]
    # The same operators with the same chances, as the papers' code has them.
    operators = t.Compose(
        [
            t.RandomResizedCrop(size, scale=(0.2, 1.0)),
            t.RandomHorizontalFlip(),
            t.RandomApply([t.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
            t.RandomGrayscale(p=0.2),
            t.ToTensor(),
        ]
    )
    speeds = {}
    for name, work in (
        ("torchvision on PIL images", lambda: torch.stack([operators(i) for i in images])),
        ("Patchmap", lambda: maker(some, generator)),
    ):
        work()
        best = float("inf")
        for _ in range(5):
            began = time.perf_counter()
            work()
            best = min(best, time.perf_counter() - began)
        speeds[name] = batch / best
    print("\n| augmentation, one thread | views/s | ratio |\n|---|---|---|")
    for name, speed in speeds.items():
        row(name, speed, speeds["torchvision on PIL images"])


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--backbone", default="resnet18-small-kernel")
    parser.add_argument("--batch-size", type=int, default=1024)
    parser.add_argument("--count", type=int, help="patches to use (default: all)")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each row")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--peer", metavar="PYTHON")
    parser.add_argument("--workers", type=int, default=0, help="of tsimcne's loader")
    parser.add_argument("--augmentation", action="store_true")
    args = parser.parse_args()
    patches = open_patches(args.data)
    if args.count:
        some = patches.take(range(args.count))
        patches = PatchSet(some, patches.table[: args.count], patches.channel_names)
    config = RunConfig(
        TrainConfig(
            epochs=(1e5, 0, 0),
            batch_size=args.batch_size,
            backbone=args.backbone,
            device=args.device,
            compile="off",
        ),
        AugmentConfig.preset("natural"),
    )
    plan = make_plan(patches, config)
    print(f"{machine()}\n{plan.device.reason}; {args.backbone}, batch {plan.batch_size}\n")
    print("| | views/s | of the network alone |\n|---|---|---|")
    most = alone(plan, args.seconds)
    row("network alone", most, most)
    reached = patchmap(patches, config, args.seconds)
    row("Patchmap, whole steps", reached, most)
    if not plan.device.is_cpu:
        try:
            row("network alone, fused", alone(plan, args.seconds, fused=True), most)
        except Exception as error:  # noqa: BLE001 - compilers fail in any way
            print(f"| network alone, fused: {str(error).splitlines()[0][:60]} | | |")
        fused = replace(config, train=config.train.replace(compile="on"))
        speed = patchmap(patches, fused, args.seconds)
        row("Patchmap, whole steps, fused", speed, most)
        reached = max(reached, speed)
    if args.peer:
        pixels = patches.pixels(range(len(patches)), plan.size).transpose(0, 2, 3, 1)
        row(
            "tsimcne 0.3.12, whole epochs",
            peer(args.peer, np.ascontiguousarray(pixels), args.batch_size, 1, args.workers),
            most,
        )
    views = making_views(patches, config, plan)
    needed, possible = operations(plan), ceiling(plan)
    print(
        f"\nMaking views takes {100 * reached / views:.1f} % of a step ({views:,.0f} views/s "
        f"alone). A view takes {needed / 1e9:.2f} GFLOP; {reached * needed / 1e12:.2f} TFLOP/s "
        f"are {100 * reached * needed / possible:.0f} % of a product of large matrices "
        f"({possible / 1e12:.2f})."
    )
    if args.augmentation:
        augmentation(patches, min(1024, len(patches)))


if __name__ == "__main__":
    main()
