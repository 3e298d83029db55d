"""Does each part that a GPU computes give there what it gives on the CPU?

    python benchmarks/gpu_everything.py pbc28.npz [--device cuda]

A minute's look before anything is measured: each method trains a few steps with each optimiser;
the forces of a t-SNE and the steps of Muon are compared with those of the CPU, and compiled
views with plain ones.
"""

from __future__ import annotations

import argparse
import time
import traceback
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from openTSNE.affinity import PerplexityBasedNN
from torch._inductor import metrics

from napari_patchmap.augment import AugmentConfig, ViewMaker
from napari_patchmap.augment.both_views import BothViews, pair_of
from napari_patchmap.layout.device_forces import DeviceForces
from napari_patchmap.patches import open_patches
from napari_patchmap.patches.readers.arrays import from_array
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit
from napari_patchmap.training.muon import orthogonalised

#: Patches that are trained on.
_PATCHES = 512

_CPU = torch.device("cpu")


def forces(device: torch.device, paired: int) -> str:
    """Compare the gradient of a t-SNE."""
    rng = np.random.default_rng(0)
    similar = PerplexityBasedNN(rng.normal(size=(3000, 20)), perplexity=30, random_state=0).P
    places = 20 * rng.normal(size=(3000, 2))
    first, again = (DeviceForces(device, paired)(places, similar)[1] for _ in range(2))
    wanted = DeviceForces(_CPU)(places, similar)[1]
    off = np.abs(first - wanted).max() / np.abs(wanted).max()
    same = "the same each time" if np.array_equal(first, again) else "NOT the same each time"
    return f"off by {off:.1e} of the largest, {same}"


def muon(device: torch.device) -> str:
    """Compare orthogonalised matrices."""
    several = torch.randn(4, 64, 576, generator=torch.Generator().manual_seed(0))
    off = (orthogonalised(several.to(device)).cpu() - orthogonalised(several)).abs().max()
    return f"off by {float(off):.1e}"


def views(device: torch.device, preset: str) -> str:
    """Compare compiled views with plain ones, and say of how many kernels they are."""
    metrics.reset()
    patches = torch.randint(256, (1024, 3, 28, 28), dtype=torch.uint8).to(device)
    fill = np.array([9.0, 90.0, 200.0])
    maker = ViewMaker(AugmentConfig.preset(preset), is_rgb=True, fill=fill)
    both = BothViews(maker, partial(torch.compile, dynamic=False, fullgraph=True))
    lot, off = torch.Generator(device), 0.0
    for seed in range(24):
        maker.strength = 1 - seed / 100
        wanted = pair_of(maker, patches, lot.manual_seed(seed))
        found = both(patches, lot.manual_seed(seed))
        off = max(off, float((found - wanted).abs().max()))
    times = []
    for make in (lambda: pair_of(maker, patches, lot), lambda: both(patches, lot)):
        began = time.perf_counter()
        for _ in range(20):
            made = make()
        float(made[0, 0, 0, 0])  # which waits
        times.append(1000 * (time.perf_counter() - began) / 20)
    count = metrics.generated_kernel_count
    return f"off by {off:.1e}, {count} kernels, {times[0]:.2f} ms, compiled {times[1]:.2f} ms"


def trained(data: str, device: torch.device, method: str, **settings: object) -> str:
    """Train a little."""
    some = from_array(open_patches(data).take(np.arange(_PATCHES)), name="cells", axes="NYXC")
    train = TrainConfig(method=method, device=device.type, batch_size=128, **settings)  # type: ignore[arg-type]
    run = fit(some, RunConfig(train, AugmentConfig.preset("rotations")))
    loss = run.history["loss"].to_numpy() if len(run.history) else [0.0]
    return f"loss {loss[0]:.3f} to {loss[-1]:.3f}, map {np.isfinite(run.embedding).all()}"


def parts(data: str, device: torch.device) -> Iterator[tuple[str, Callable[[], str]]]:
    """List what is tried."""
    small = {"backbone": "compact"} if device.type == "cpu" else {}
    yield "t-SNE, all pairs", lambda: forces(device, 10**9)
    yield "t-SNE, grid", lambda: forces(device, 0)
    yield "Muon", lambda: muon(device)
    for preset in ("rotations", "histology"):
        yield f"both views, {preset}", lambda preset=preset: views(device, preset)
    yield "t-SimCNE", lambda: trained(data, device, "tsimcne", epochs=(2.0, 2.0, 1.0), **small)
    yield "DINO", lambda: trained(data, device, "dino", epochs=(1.0,), **small)
    for name in ("sgd", "adamw", "lars", "lamb", "muon"):
        yield (
            f"SimCLR, {name}",
            lambda name=name: trained(
                data, device, "simclr", epochs=(2.0,), optimiser=name, **small
            ),
        )
    yield "pixels", lambda: trained(data, device, "pixels")


def main() -> None:
    """Print a row a part; what fails is said and costs the others nothing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--device", default="cuda")
    asked = parser.parse_args()
    print("| part | | seconds |\n|---|---|---|")
    for name, part in parts(asked.data, torch.device(asked.device)):
        began = time.perf_counter()
        try:
            said = part()
        except Exception as error:  # noqa: BLE001 - whatever fails is to be seen
            said = f"FAILED: {type(error).__name__}: {error}".splitlines()[0]
            traceback.print_exc()
        print(f"| {name} | {said} | {time.perf_counter() - began:.1f} |", flush=True)


if __name__ == "__main__":
    main()
