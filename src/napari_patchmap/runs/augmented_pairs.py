"""What the network of a run makes of two augmented views of its patches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from napari_patchmap.augment.views import ViewMaker
from napari_patchmap.networks.device import choose_device
from napari_patchmap.networks.pixels import PatchPixels
from napari_patchmap.patches import PatchSet
from napari_patchmap.runs.network_file import whole_network
from napari_patchmap.runs.placing import look_at
from napari_patchmap.runs.run import Run


def look_at_views(
    run: Run, patches: PatchSet, rows: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Look at two views of some patches, made with the run's own augmentations.

    Returns
    -------
    features, outputs : ndarray of float32, shape (2 * m, ...)
        Of the first view of each of ``rows``, (m,), then of the second.
    """
    same = replace(patches, intensity=run.images.intensity, fit=patches.fit or run.images.fit)
    size = run.network.spec.size
    maker = ViewMaker(run.config.augment, is_rgb=same.is_rgb, fill=same.border_colour(size))
    generator = torch.Generator().manual_seed(seed)
    images = PatchPixels(same, size)[torch.from_numpy(rows)]
    views = torch.cat([maker(images, generator) for _ in range(2)])
    return look_at(
        whole_network(run),
        views.mul(255).round().byte(),
        choose_device("cpu" if run.config.train.device == "cpu" else "auto").target,
        precision=getattr(torch, run.info.get("half") or "float32"),
        symmetries=run.symmetries,
        watch=None,
    )
