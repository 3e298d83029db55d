"""Does a network look at the borders of a patch as at its middle, before it has learned?

    python benchmarks/borders.py [--sizes 28 32 64 96]

How much a random combination of the features changes with each pixel: the root of the mean
square of gradients over random patches and weights, along each side (a seventh of it wide),
where the middle of the patch is 1.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch

from napari_patchmap.networks import Network, NetworkSpec

SIDES = ("top", "left", "bottom", "right")
NETWORKS, PATCHES = 6, 16


def weights(spec: NetworkSpec) -> np.ndarray:
    """Return how much each side counts, (4,)."""
    total, wide = torch.zeros(spec.size), spec.size[0] // 7
    for seed in range(NETWORKS):
        torch.manual_seed(seed)
        patches = torch.rand(PATCHES, spec.channels, *spec.size, requires_grad=True)
        features = Network(spec).features(patches)
        seen = (features @ torch.randn(features.shape[1])).sum()
        (change,) = torch.autograd.grad(seen, patches)
        total += change.square().mean(dim=(0, 1))
    found, inside = total.sqrt().numpy(), slice(2 * wide, -2 * wide)
    sides = found[:wide], found[:, :wide].T, found[-wide:], found[:, -wide:].T
    means = [side[:, inside].mean() for side in sides]
    return np.array(means) / found[inside, inside].mean()


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[28, 32, 64, 96])
    parser.add_argument("--backbone", default="compact")
    args = parser.parse_args()
    print(f"| px | averages | {' | '.join(SIDES)} |\n|---|---|{'---|' * len(SIDES)}")
    for size in args.sizes:
        for even in (False, True):
            spec = NetworkSpec(args.backbone, 3, (size, size), even_borders=even)
            row = " | ".join(f"{one:.2f}" for one in weights(spec))
            print(f"| {size} | {'even' if even else 'as before'} | {row} |", flush=True)


if __name__ == "__main__":
    main()
