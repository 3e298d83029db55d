"""Images of two kinds from two slides, of which one is darker: a batch effect that is known."""

from __future__ import annotations

import dataclasses

import numpy as np

from napari_patchmap.patches import PatchSet, from_array


def two_by_two(count: int = 200) -> PatchSet:
    """Discs and rings; one half of each on a slide that is darker and has less contrast."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:12, :12] / 5.5 - 1
    ring, dark = np.arange(count) % 2 == 1, np.arange(count) // 2 % 2 == 1
    radius = np.hypot(y, x) + rng.normal(0, 0.02, (count, 1, 1))
    shape = np.where(ring[:, None, None], np.abs(radius - 0.75) < 0.2, radius < 0.55)
    grey = 220.0 - 90 * shape + rng.normal(0, 10, (count, 12, 12))
    grey[dark] = 0.6 * grey[dark] + 10
    patches = from_array(np.clip(grey, 0, 255).astype(np.uint8), name="discs and rings")
    table = patches.table.assign(
        label=np.where(ring, "ring", "disc"), slide=np.where(dark, "dark", "light")
    )
    return dataclasses.replace(patches, table=table)
