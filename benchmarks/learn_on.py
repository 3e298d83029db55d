"""Is it worth while that a network that came trained learns further from one's own cells?

    python benchmarks/imagenet_weights.py lite0.safetensors
    python benchmarks/learn_on.py pbc28.npz --weights lite0.safetensors --minutes 5
        [--cells 2000] [--input-side 64] [--network tf_efficientnet_lite1]

In equal minutes, each laid out by t-SNE with cosine distances and a last exaggeration of 2:
the network as it came, the same learned further (SimCLR, each step undone unless it helps),
the same from random weights, and the compact network from random weights. What was said of
each step is printed below the table. Labels are used for the figures alone.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from blood_cells import machine

from napari_patchmap.augment import AugmentConfig
from napari_patchmap.patches import open_patches
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--network", default="tf_efficientnet_lite0")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--cells", type=int, help="so many, drawn at random; all if not said")
    parser.add_argument("--input-side", type=int, help="the network's own if not said")
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    patches = open_patches(args.data)
    if args.cells is not None and args.cells < len(patches):
        order = np.random.default_rng(0).permutation(len(patches))
        patches = patches.picked(np.sort(order[: args.cells]))
    laid_out: dict[str, Any] = {"tsne_metric": "cosine", "last_exaggeration": 2.0}
    given = laid_out | {"seed": args.seed, "device": "cpu"}
    trains = given | {"method": "simclr", "minutes": args.minutes}
    known = {"backbone": args.network, "weights": str(args.weights)}
    seen = {"input_side": args.input_side}
    further = trains | known | seen | {"learn_on": "auto", "batch_size": args.batch_size}
    # From random weights a network sees cells at the side at which the others see them.
    scratch = trains | {"backbone": args.network, "batch_size": args.batch_size}
    ways = {
        "as it came": given | known | seen | {"method": "pretrained"},
        "learned further": further,
        "from random weights": scratch,
        "compact network, from random weights": trains,
    }
    print(f"{machine()}; {len(patches):,} cells, {args.network}\n")
    print("| network | minutes | 15-NN of features | 15-NN on the map | silhouette | epochs |")
    print("|---|---|---|---|---|---|", flush=True)
    said = []
    for name, settings in ways.items():
        began = time.monotonic()
        config = RunConfig(TrainConfig(**settings), AugmentConfig.preset("rotations"))
        run = fit(patches, config)
        figures, trained = run.metrics, run.metrics["training"]
        accuracies = (figures[key]["accuracy"] for key in ("knn_of_features", "knn"))
        of_features, of_map = (f"{100 * one:.1f} %" for one in accuracies)
        epochs = " + ".join(f"{one:.2g}" for one in trained["epochs"]) or "none"
        print(
            f"| {name} | {(time.monotonic() - began) / 60:.1f} | {of_features} | {of_map} | "
            f"{figures['silhouette']['mean']:.2f} | {epochs} |",
            flush=True,
        )
        said += [note for note in run.info["notes"] if note.startswith("After ")]
    print("\n" + "\n".join(said))


if __name__ == "__main__":
    main()
