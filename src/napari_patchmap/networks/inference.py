"""Running a trained network over many patches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from napari_patchmap.augment.views import Symmetry, apply_symmetry, plain
from napari_patchmap.networks.network import Network

#: Patches that go through the network at once.
BATCH = 512


@torch.inference_mode()
def infer(
    network: Network,
    pixels: Tensor,
    *,
    symmetries: Sequence[Symmetry] = ((0, False),),
    half: torch.dtype | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Compute features and outputs of patches as they are, without augmentation.

    Parameters
    ----------
    network : Network
        Put into evaluation mode for the time being.
    pixels : Tensor of uint8, shape (n, channel, height, width)
        On any device; moved to the network's in batches.
    symmetries : sequence of (quarter turns, mirrored)
        Copies of each patch whose features are averaged before they are
        projected, so that the answer does not depend on how a patch was turned.
    half : torch.dtype, optional
        Half precision for the backbone; float32 when None.

    Returns
    -------
    features : ndarray of float32, shape (n, d)
    outputs : ndarray of float32, shape (n, out_dim)
    """
    device = next(network.parameters()).device
    was_training = network.training
    network.eval()
    features, outputs = [], []
    for start in range(0, len(pixels), BATCH):
        images = plain(pixels[start : start + BATCH].to(device))
        with torch.autocast(device.type, dtype=half, enabled=half is not None):
            mean = torch.zeros((), device=device)
            for symmetry in symmetries:
                turned = apply_symmetry(images, symmetry)
                turned = turned.contiguous(memory_format=torch.channels_last)
                mean = mean + network.features(turned).float()
            mean = mean / len(symmetries)
            features.append(mean.cpu())
            outputs.append(network.project(mean).float().cpu())
    network.train(was_training)
    return torch.cat(features).numpy(), torch.cat(outputs).numpy()
