"""How fast networks are trained: views a second, beside tsimcne 0.3.12 and the network alone.

    python benchmarks/training_speed.py pbc28.npz [--backbone resnet18-small-kernel]
        [--batch-size 1024] [--steps 10] [--device auto] [--peer /path/to/venv/bin/python]

All rows use the same images, network and batch, in turn on the same machine:

- *network alone*: forward, loss, backward and optimiser step of made-up images that
  lie on the device already, in the same precision and memory layout; the most that
  any program around the network can reach;
- *Patchmap*: whole steps of stage 1, as :func:`napari_patchmap.training.fit`
  makes them, views included, measured by its own history;
- *tsimcne*: whole epochs of stage 1 through its public class, in the Python of
  ``--peer``, where ``pip install tsimcne==0.3.12`` was run (0.4.24, the newest,
  cannot fit at all).

``--augmentation`` compares the making of views with torchvision's operators on
PIL images, on one thread.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from blood_cells import machine
from peer import train_peer

from napari_patchmap.augment import AugmentConfig, ViewMaker
from napari_patchmap.methods.losses import cauchy_infonce
from napari_patchmap.networks import Network
from napari_patchmap.networks.vision import torchvision
from napari_patchmap.patches import PatchSet, open_patches
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit, make_plan
from napari_patchmap.training.memory import keep_freed_memory
from napari_patchmap.training.plan import Plan


def row(name: str, speed: float, base: float) -> None:
    """Print a row of the table."""
    print(f"| {name} | {speed:,.0f} | {speed / base:.2f} |", flush=True)


def alone(plan: Plan, steps: int) -> float:
    """Views a second of a bare loop around the network; the first steps do not count."""
    device, batch = plan.device, plan.batch_size
    if device.is_cpu:
        keep_freed_memory()  # as a run does
    network = Network(plan.spec).to(device.target)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.SGD(network.parameters(), 1e-3, momentum=0.9, nesterov=True)
    views = torch.rand(2 * batch, plan.spec.channels, *plan.size, device=device.target)
    views = views.contiguous(memory_format=torch.channels_last)
    kind, half = device.target.type, device.half
    began = 0.0
    for step in range(2 + steps):
        if step == 2:
            wait(kind)
            began = time.perf_counter()
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast(kind, dtype=half, enabled=half is not None):
            outputs = network(views)
        cauchy_infonce(outputs).backward()
        optimiser.step()
    wait(kind)
    return 2 * batch * steps / (time.perf_counter() - began)


def wait(kind: str) -> None:
    """Wait until a GPU has done its work."""
    if kind == "cuda":
        torch.cuda.synchronize()


def patchmap(patches: PatchSet, config: RunConfig, steps: int) -> float:
    """Views a second of whole steps; the first few do not count."""
    seen: list[tuple[float, float]] = []

    def note(report) -> None:
        if report.stage == 1:
            seen.append((time.perf_counter(), report.epoch))

    fit(patches, config, progress=note)
    (began, first), (ended, last) = seen[len(seen) // 4], seen[-1]
    return 2 * len(patches) * (last - first) / (ended - began)


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
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--peer", metavar="PYTHON")
    parser.add_argument("--workers", type=int, default=0, help="of tsimcne's loader")
    parser.add_argument("--augmentation", action="store_true")
    args = parser.parse_args()
    patches = open_patches(args.data)
    if args.count:
        some = patches.take(range(args.count))
        patches = PatchSet(some, patches.table[: args.count], patches.channel_names)
    epochs = args.steps * args.batch_size / len(patches)
    config = RunConfig(
        TrainConfig(
            epochs=(epochs, 0, 0),
            batch_size=args.batch_size,
            backbone=args.backbone,
            device=args.device,
        ),
        AugmentConfig.preset("natural"),
    )
    plan = make_plan(patches, config)
    print(f"{machine()}\n{plan.device.reason}; {args.backbone}, batch {plan.batch_size}\n")
    print("| | views/s | of the network alone |\n|---|---|---|")
    most = alone(plan, args.steps)
    row("network alone", most, most)
    row("Patchmap, whole steps", patchmap(patches, config, args.steps), most)
    if args.peer:
        pixels = patches.pixels(range(len(patches)), plan.size).transpose(0, 2, 3, 1)
        row(
            "tsimcne 0.3.12, whole epochs",
            peer(args.peer, np.ascontiguousarray(pixels), args.batch_size, 1, args.workers),
            most,
        )
    if args.augmentation:
        augmentation(patches, min(1024, len(patches)))


if __name__ == "__main__":
    main()
