"""How honest the time left is: what a run said after each tenth, and what it then took.

    python benchmarks/time_left.py pbc28.npz [--epochs 3 6 1] [--device auto]

Prints, for each tenth of the run's real time, the time left that was shown and its
error as a share of the time that was really left. Also the time that the plan
expected before the start.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from blood_cells import machine

from napari_patchmap.augment import AugmentConfig
from napari_patchmap.patches import open_patches
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit, make_plan


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--epochs", type=float, nargs=3, default=[3.0, 6.0, 1.0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--backbone")
    args = parser.parse_args()
    patches = open_patches(args.data)
    config = RunConfig(
        TrainConfig(epochs=tuple(args.epochs), device=args.device, backbone=args.backbone),
        AugmentConfig.preset("rotations"),
    )
    plan = make_plan(patches, config)
    said: list[tuple[float, float]] = []
    began = time.perf_counter()
    fit(
        patches,
        config,
        progress=lambda report: said.append((time.perf_counter() - began, report.seconds_left)),
    )
    whole = time.perf_counter() - began
    print(f"{machine()}\n\nThe plan expected {plan.seconds:.0f} s; it took {whole:.0f} s.\n")
    print("| after | said to be left | was left | error |\n|---|---|---|---|")
    for tenth in range(1, 10):
        when, left = min(said, key=lambda one: abs(one[0] - tenth * whole / 10))
        really = whole - when
        after, error = f"{10 * tenth} % ({when:.0f} s)", 100 * (left / really - 1)
        print(f"| {after} | {left:.0f} s | {really:.0f} s | {error:+.0f} % |")


if __name__ == "__main__":
    main()
