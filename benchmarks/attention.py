"""Do maps of what a network looks at agree with hiding parts of the image?

    python benchmarks/attention.py RUN [--patches 60]

Each of 7 x 7 parts of a patch is covered by the patch's mean colour in turn; how far its
features move then is what that part counts. Prints how that correlates with the maps that
patchmap draws, and what the borders count beside the inside.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from torch.nn import functional

from napari_patchmap.augment.views import apply_symmetry, plain
from napari_patchmap.networks.pixels import PatchPixels
from napari_patchmap.runs import Run, reopen_patches
from napari_patchmap.runs.what_it_sees import WhatItSees

#: Parts along each side.
_PARTS = 7


def averaged(run: Run, images: torch.Tensor) -> torch.Tensor:
    """Return the features of images as the run has them."""
    made = [run.network.features(apply_symmetry(images, one)) for one in run.symmetries]
    return torch.stack(made).mean(dim=0)


@torch.no_grad()
def hidden(run: Run, images: torch.Tensor) -> np.ndarray:
    """Return how far the features of images move while each part is hidden, (n, 7, 7)."""
    features = averaged(run, images)
    mean = images.mean(dim=(-2, -1), keepdim=True).expand_as(images)
    moved = np.empty((len(images), _PARTS, _PARTS))
    down = np.linspace(0, images.shape[-2], _PARTS + 1).round().astype(int)
    across = np.linspace(0, images.shape[-1], _PARTS + 1).round().astype(int)
    for row in range(_PARTS):
        for column in range(_PARTS):
            part = (..., slice(*down[row : row + 2]), slice(*across[column : column + 2]))
            covered = images.clone()
            covered[part] = mean[part]
            far = averaged(run, covered) - features
            moved[:, row, column] = far.norm(dim=1).numpy()
    return moved


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run")
    parser.add_argument("--patches", type=int, default=60)
    given = parser.parse_args()
    run = Run.load(given.run)
    patches = reopen_patches(run)
    rows = np.random.default_rng(0).permutation(len(patches))[: given.patches]
    found = WhatItSees(run, patches).attended(rows)
    images = plain(PatchPixels(patches, run.network.spec.size)[torch.from_numpy(rows)])
    moved = hidden(run, images)
    parts = functional.adaptive_avg_pool2d(torch.from_numpy(found.maps)[:, None], _PARTS)
    maps = parts[:, 0].numpy()
    agree = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(maps, moved, strict=True)]
    print(f"{'attention' if found.by_attention else 'LayerCAM'} of {len(rows)} patches")
    print(f"correlation with hiding parts: {np.nanmean(agree):.2f}")
    for name, values in (("hiding parts", moved), ("maps", maps)):
        mean = (values / values.max(axis=(1, 2), keepdims=True)).mean(axis=0)
        inside = mean[1:-1, 1:-1].mean()
        sides = {
            "top": mean[0, 1:-1], "bottom": mean[-1, 1:-1], "left": mean[1:-1, 0],
            "right": mean[1:-1, -1],
        }  # fmt: skip
        words = ", ".join(f"{side} {v.mean() / inside:.2f}" for side, v in sides.items())
        print(f"{name}: beside the inside (1), {words}")


if __name__ == "__main__":
    main()
