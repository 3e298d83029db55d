"""What the preset quick owes to each of its parts: small views, whitening, cosines, layout.

    python benchmarks/quick_recipe.py pbc28.npz [--minutes 5] [--seed 0 1 2] [--whole-views]

SimCLR is trained once for each seed, with small views first and, if wanted, with whole ones
all the time; the features are not whitened. They are then whitened by several powers and laid
out by the t-SNE of the preset quick, and by openTSNE's usual one. Labels serve for the figures
alone: 15-NN accuracy and silhouette of the 2-D map (see ``napari_patchmap.quality``).
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from blood_cells import machine, row

from napari_patchmap.augment import AugmentConfig
from napari_patchmap.layout.tsne import QUICK, Tsne
from napari_patchmap.methods.coarse import WHOLE
from napari_patchmap.methods.recipe import RecipeRequest
from napari_patchmap.networks.whitening import whitened
from napari_patchmap.patches import PatchSet, open_patches
from napari_patchmap.quality import evaluate
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.training import fit

POWERS = (0.0, 0.25, 0.5, 0.75, 1.0)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, nargs="+", default=[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument(
        "--whole-views", action="store_true", help="train without small ones too"
    )
    args = parser.parse_args()
    patches = open_patches(args.data)
    print(
        f"{machine()}\n\n| map | minutes of its layout | 15-NN accuracy in 2-D | silhouette |"
    )
    print("|---|---|---|---|", flush=True)
    for seed in args.seed:
        train = TrainConfig(
            method="simclr",
            minutes=args.minutes,
            seed=seed,
            device=args.device,
            whitening=0.0,
        )
        run = trained(patches, train)
        for power in POWERS:
            layout(f"seed {seed}, whitened by {power:g}", run, power, replace(QUICK, seed=seed))
        euclidean = replace(QUICK, metric="euclidean", seed=seed)
        layout(f"seed {seed}, by 0.75, Euclidean distances", run, 0.75, euclidean)
        longer = replace(QUICK, iterations=Tsne().iterations, seed=seed)
        layout(f"seed {seed}, by 0.75, all iterations", run, 0.75, longer)
        layout(f"seed {seed}, openTSNE as is usual", run, 0.0, Tsne(seed=seed))
        if args.whole_views:
            with patch.object(RecipeRequest, "coarse", WHOLE):
                run = trained(patches, train)
            for power in (0.0, 0.75):
                name = f"seed {seed}, whole views, whitened by {power:g}"
                layout(name, run, power, replace(QUICK, seed=seed))


def trained(patches: PatchSet, train: TrainConfig) -> Run:
    """Train for the minutes, in which a layout is made as well."""
    return fit(patches, RunConfig(train, AugmentConfig.preset("rotations")))


def layout(name: str, run: Run, power: float, tsne: Tsne) -> None:
    """Lay out whitened features; print how good the map is."""
    began = time.perf_counter()
    features = whitened(run.features, power)
    embedding = tsne.lay_out(features, jobs=torch.get_num_threads())
    minutes = (time.perf_counter() - began) / 60
    row(name, minutes, evaluate(np.asarray(embedding), run.labels))


if __name__ == "__main__":
    main()
