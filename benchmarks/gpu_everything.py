"""Does each part that a GPU computes give there what it gives on the CPU?

    python benchmarks/gpu_everything.py pbc28.npz

A minute's look before anything is measured: each method trains a few steps with each optimiser,
the forces of a t-SNE and the steps of Muon are compared with those of the CPU.
"""

from __future__ import annotations

import argparse
import time
import traceback
from collections.abc import Callable, Iterator

import numpy as np
import torch
from openTSNE.affinity import PerplexityBasedNN

from napari_patchmap.augment import AugmentConfig
from napari_patchmap.layout.device_forces import DeviceForces
from napari_patchmap.patches import open_patches
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit
from napari_patchmap.training.muon import orthogonalised

#: Patches that are trained on.
_PATCHES = 512

_GPU, _CPU = torch.device("cuda"), torch.device("cpu")


def forces(paired: int) -> str:
    """Compare the gradient of a t-SNE."""
    rng = np.random.default_rng(0)
    similar = PerplexityBasedNN(rng.normal(size=(3000, 20)), perplexity=30, random_state=0).P
    places = 20 * rng.normal(size=(3000, 2))
    first, again = (DeviceForces(_GPU, paired)(places, similar)[1] for _ in range(2))
    wanted = DeviceForces(_CPU)(places, similar)[1]
    off = np.abs(first - wanted).max() / np.abs(wanted).max()
    same = "the same each time" if np.array_equal(first, again) else "NOT the same each time"
    return f"off by {off:.1e} of the largest, {same}"


def muon() -> str:
    """Compare orthogonalised matrices."""
    several = torch.randn(4, 64, 576, generator=torch.Generator().manual_seed(0))
    off = (orthogonalised(several.to(_GPU)).cpu() - orthogonalised(several)).abs().max()
    return f"off by {float(off):.1e}"


def trained(data: str, method: str, **settings: object) -> str:
    """Train a little."""
    patches = open_patches(data)
    some = patches.subset(np.arange(len(patches))[:_PATCHES])
    train = TrainConfig(method=method, device="cuda", batch_size=128, **settings)  # type: ignore[arg-type]
    run = fit(some, RunConfig(train, AugmentConfig.preset("rotations")))
    loss = run.history["loss"].to_numpy()
    return f"loss {loss[0]:.3f} to {loss[-1]:.3f}, map {np.isfinite(run.embedding).all()}"


def parts(data: str) -> Iterator[tuple[str, Callable[[], str]]]:
    """List what is tried."""
    yield "t-SNE, all pairs", lambda: forces(10**9)
    yield "t-SNE, grid", lambda: forces(0)
    yield "Muon", muon
    yield "t-SimCNE", lambda: trained(data, "tsimcne", epochs=(2.0, 2.0, 1.0))
    yield "DINO", lambda: trained(data, "dino", epochs=(1.0,))
    for name in ("sgd", "adamw", "lars", "lamb", "muon"):
        yield (
            f"SimCLR, {name}",
            lambda name=name: trained(data, "simclr", epochs=(2.0,), optimiser=name),
        )
    yield "pixels", lambda: trained(data, "pixels")


def main() -> None:
    """Print a row a part; what fails is said and costs the others nothing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    data = parser.parse_args().data
    print("| part | | seconds |\n|---|---|---|")
    for name, part in parts(data):
        began = time.perf_counter()
        try:
            said = part()
        except Exception as error:  # noqa: BLE001 - whatever fails is to be seen
            said = f"FAILED: {type(error).__name__}: {error}".splitlines()[0]
            traceback.print_exc()
        print(f"| {name} | {said} | {time.perf_counter() - began:.1f} |", flush=True)


if __name__ == "__main__":
    main()
