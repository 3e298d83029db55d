"""How good a map of blood cells is after a few minutes, beside t-SNE of raw pixels.

    python benchmarks/blood_cells.py pbc28.npz --minutes 5 [--pixels] [--seed 0 1 2]

Prints one table row a run: 15-NN accuracy and silhouette of the 2-D map (see
``napari_patchmap.quality``), the minutes that the whole command took, and the
machine. ``--pixels`` adds openTSNE (defaults) of the raw pixels, which needs
``pip install openTSNE``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from napari_patchmap.patches import open_patches
from napari_patchmap.quality import evaluate


def machine() -> str:
    """Name the processor, the cores that may be used and the version of torch."""
    import torch

    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [x for x in info.read_text().splitlines() if x.startswith("model name")]
        name = models[0].split(":")[1].strip() if models else name
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {cores} cores, torch {torch.__version__}"


def row(name: str, minutes: float, report: dict) -> None:
    """Print a row of the table."""
    knn, silhouette = report["knn"]["accuracy"], report["silhouette"]["mean"]
    print(f"| {name} | {minutes:.2f} | {100 * knn:.1f} % | {silhouette:.3f} |", flush=True)


def pixels(data: Path, seed: int) -> None:
    """Score t-SNE of the raw pixels."""
    from openTSNE import TSNE

    patches = open_patches(data)
    began = time.perf_counter()
    flat = patches.pixels(range(len(patches)), patches.training_size()).reshape(
        len(patches), -1
    )
    embedding = TSNE(n_jobs=-1, random_state=seed).fit(flat.astype(np.float32) / 255)
    minutes = (time.perf_counter() - began) / 60
    row("openTSNE of raw pixels", minutes, evaluate(np.asarray(embedding), patches.labels))


def patchmap(data: Path, minutes: float, seed: int, more: list[str]) -> None:
    """Score the command that a person would type."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        command = [
            sys.executable,
            "-m",
            "napari_patchmap.cli",
            "embed",
            str(data),
            "--out",
            out,
        ]
        command += ["--minutes", str(minutes), "--seed", str(seed), *more]
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        took = (time.perf_counter() - began) / 60
        report = json.loads((out / "metrics.json").read_text())
        row(
            f"patchmap --minutes {minutes:g} --seed {seed} {' '.join(more)}".strip(),
            took,
            report,
        )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, nargs="+", default=[5.0])
    parser.add_argument("--seed", type=int, nargs="+", default=[0])
    parser.add_argument("--pixels", action="store_true")
    args, more = parser.parse_known_args()
    print(machine())
    print("| method | minutes | 15-NN accuracy in 2-D | silhouette |\n|---|---|---|---|")
    if args.pixels:
        pixels(args.data, args.seed[0])
    for minutes in args.minutes:
        for seed in args.seed:
            patchmap(args.data, minutes, seed, ["--augment", "rotations", *more])


if __name__ == "__main__":
    main()
