"""How much longer does a map of one's own features take than openTSNE alone?

    python benchmarks/own_features.py --patches 100000 --features 384 [--repeats 1]

Both in one process, one after the other, from the same .npy file with as many threads: openTSNE
with its defaults, from the array to the layout; and Patchmap, from the file to a run that is
saved: opened, joined, laid out, measured, written. Printed are the seconds of each, of the run
its parts, and the ratio. The features are normal clouds of unequal sizes.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from openTSNE import TSNE

from napari_patchmap.patches import open_patches
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit, save_run

#: Kinds of patches, and how far their centres are apart in deviations of a feature.
KINDS, APART = 25, 1.0


def synthetic(count: int, features: int) -> np.ndarray:
    """Return features of known kinds, float32."""
    random = np.random.default_rng(0)
    kinds = random.choice(KINDS, count, p=random.dirichlet(np.full(KINDS, 3.0)))
    centres = APART * random.normal(size=(KINDS, features))
    return (centres[kinds] + random.normal(size=(count, features))).astype(np.float32)


def alone(path: Path) -> float:
    """Return the seconds that openTSNE takes."""
    features, began = np.load(path), time.perf_counter()
    TSNE(n_jobs=torch.get_num_threads(), random_state=0).fit(features)
    return time.perf_counter() - began


def ours(path: Path, folder: Path) -> tuple[float, dict[str, float]]:
    """Return the seconds that Patchmap takes, and those of its parts."""
    parts: dict[str, float] = {}
    began = last = time.perf_counter()
    doing = "opening"

    def begin(name: str) -> None:
        nonlocal last, doing
        now = time.perf_counter()
        parts[doing] = parts.get(doing, 0.0) + now - last
        last, doing = now, name

    points = open_patches(path)
    begin("planning")
    run = fit(
        points,
        RunConfig(TrainConfig(method="features")),
        progress=lambda report: begin(report.phase.partition(":")[0]),
    )
    begin("saving")
    save_run(run, folder)
    begin("")
    return time.perf_counter() - began, parts


def main() -> None:
    """Print what both take."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patches", type=int, default=100_000)
    parser.add_argument("--features", type=int, default=384)
    parser.add_argument("--repeats", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.npy"
        np.save(path, synthetic(args.patches, args.features))
        print(f"{args.patches:,} x {args.features}, {torch.get_num_threads()} threads")
        for number in range(args.repeats):
            bare = alone(path)
            whole, parts = ours(path, Path(folder) / f"run {number}")
            print(f"openTSNE {bare:.1f} s, Patchmap {whole:.1f} s: {whole / bare:.3f} times")
            listed = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in parts.items())
            print(f"  {listed}", flush=True)


if __name__ == "__main__":
    main()
