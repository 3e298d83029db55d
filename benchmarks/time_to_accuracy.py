"""How long it takes until a map is good: ours by minutes, tsimcne 0.3.12 by what fits in.

    python benchmarks/time_to_accuracy.py pbc28.npz --minutes 1 2 5 10 20
        [--peer /path/to/venv/bin/python --peer-epochs 1 1 1 --peer-network resnet18]

Ours is trained for each time budget; the first that reaches 0.80 and 0.85 15-NN
accuracy in 2-D (``napari_patchmap.quality``) is named. tsimcne cannot be given a
time and cannot be stopped, so it trains the epochs that are given, through its
public class with its defaults and the same cells; its time, and the 15-NN accuracy
of its map by the same measure, are printed. (0.4.24, the newest, cannot fit at all
through that class.) On two CPU cores it takes many
minutes an epoch; a run of few epochs is a run cut short, and is named by them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from blood_cells import machine, patchmap, row
from peer import train_peer

from napari_patchmap.patches import open_patches
from napari_patchmap.quality import evaluate


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, nargs="*", default=[1.0, 2.0, 5.0, 10.0, 20.0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--peer", metavar="PYTHON")
    parser.add_argument("--peer-epochs", type=int, nargs=3, default=[1, 1, 1])
    parser.add_argument(
        "--peer-network", help="tsimcne's name of a network; its default if empty"
    )
    args = parser.parse_args()
    print(f"{machine()}\n\n| method | minutes | 15-NN accuracy in 2-D | silhouette |")
    print("|---|---|---|---|", flush=True)
    for minutes in args.minutes:
        patchmap(args.data, minutes, args.seed, ["--augment", "rotations"])
    if args.peer:
        patches = open_patches(args.data)
        pixels = patches.pixels(range(len(patches)), patches.training_size())
        given = {"backbone": args.peer_network} if args.peer_network else {}
        seconds, embedding = train_peer(
            args.peer,
            np.ascontiguousarray(pixels.transpose(0, 2, 3, 1)),
            total_epochs=args.peer_epochs,
            image_size=patches.training_size(),
            num_workers=0,
            **given,
        )
        network = args.peer_network or "its network"
        name = f"tsimcne 0.3.12, {network}, epochs {args.peer_epochs}"
        assert embedding is not None
        row(name, seconds / 60, evaluate(embedding, patches.labels))


if __name__ == "__main__":
    main()
