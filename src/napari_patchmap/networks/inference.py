"""Running a trained network over many patches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from napari_patchmap.augment.views import Symmetry, apply_symmetry, plain
from napari_patchmap.networks.device import autocast
from napari_patchmap.networks.fixed import OwnFeatures
from napari_patchmap.networks.network import Network
from napari_patchmap.networks.out_of_memory import free_cached_memory, is_out_of_memory
from napari_patchmap.networks.pixels import Pixels, spread
from napari_patchmap.networks.trained.trained_features import TrainedFeatures
from napari_patchmap.patches.watch import UNWATCHED, Watch

#: Patches that go through the network at once.
BATCH = 512

#: And through one that came trained, on a CPU: of more, what lies between its layers has to be
#: fetched from memory, which takes a tenth of the time.
_BATCH_ON_CPU = 256

#: Pixels that do where patches become larger inside: 64 images of 224 x 224.
_MOST_INSIDE = 64 * 224**2

#: Patches that give a network its statistics, at most.
MOST_SETTLING = 4096


@torch.inference_mode()
def infer(
    network: Network,
    pixels: Pixels,
    *,
    symmetries: Sequence[Symmetry] = ((0, False),),
    half: torch.dtype | None = None,
    watch: Watch = UNWATCHED,
) -> tuple[np.ndarray, np.ndarray]:
    """Compute features and outputs of patches as they are, without augmentation.

    Parameters
    ----------
    network : Network
        Put into evaluation mode for the time being.
    pixels : Tensor of uint8 or PatchPixels, shape (n, channel, height, width)
        On any device; moved to the network's in batches. Features of people's own are
        float32, shape (n, d).
    symmetries : sequence of (quarter turns, mirrored)
        Copies of each patch whose features are averaged before they are
        projected, so that the answer does not depend on how a patch was turned.
    half : torch.dtype, optional
        Half precision for the backbone; float32 when None.
    watch : Watch
        Told how many of how many patches are done.

    Returns
    -------
    features : ndarray of float32, shape (n, d)
        Whitened if the network's are.
    outputs : ndarray of float32, shape (n, out_dim)
        Without columns if the network's head makes no map.
    """
    if isinstance(network.backbone, OwnFeatures):
        rows = network.backbone.of_rows(pixels[:].cpu().numpy())
        return network.given_away(rows), np.empty((len(rows), 0), np.float32)
    device = network.device
    was_training = network.training
    network.eval()
    count, batch, start = len(pixels), BATCH, 0
    if isinstance(network.backbone, TrainedFeatures):
        inside = network.backbone.pixels_inside(network.spec.channels)
        most = _BATCH_ON_CPU if device.type == "cpu" else BATCH
        batch = max(1, min(most, _MOST_INSIDE // inside))
    features = torch.empty(count, network.width)
    outputs = torch.empty(count, network.spec.out_dim if network.spec.makes_map else 0)
    while start < count:
        part = slice(start, start + batch)
        try:
            mean = _mean_features(network, pixels[part].to(device), symmetries, half)
        except (MemoryError, RuntimeError) as error:
            if batch == 1 or not is_out_of_memory(error):
                raise
            mean = None
        if mean is None:
            free_cached_memory()
            batch //= 2
            continue
        if network.spec.makes_map:  # otherwise too many to be kept
            with autocast(device, half):
                outputs[part] = network.project(mean).float()
        features[part] = mean
        start = part.stop
        watch.step(min(start, count), count)
    network.train(was_training)
    return network.given_away(features.numpy()), outputs.numpy()


def _mean_features(
    network: Network,
    pixels: Tensor,
    symmetries: Sequence[Symmetry],
    half: torch.dtype | None,
) -> Tensor:
    """Mean features of the turned and mirrored copies of some patches, float32."""
    images = plain(pixels)
    mean = torch.zeros((), device=images.device)
    with autocast(images.device, half):
        for symmetry in symmetries:
            turned = apply_symmetry(images, symmetry)
            turned = turned.contiguous(memory_format=torch.channels_last)
            mean = mean + network.features(turned).float()
    return mean / len(symmetries)


@torch.no_grad()
def recalibrate(
    network: Network,
    pixels: Pixels,
    *,
    symmetries: Sequence[Symmetry] = ((0, False),),
    half: torch.dtype | None = None,
) -> None:
    """Give batch normalisation the statistics of patches as they are.

    Those collected in training are of augmented views, which are brighter,
    darker and closer than the patches that the network is asked about. The
    projector gets those of the mean features that it is asked about.

    Up to 4096 patches are used, spread evenly over the set. Other arguments as for
    :func:`infer`.
    """
    if len(pixels) < 2:
        return
    was_training = network.training
    chosen = spread(pixels, MOST_SETTLING)
    parts = max(1, len(chosen) // BATCH)
    network.eval()
    while not _collect(network, chosen, parts, symmetries, half):
        free_cached_memory()
        parts *= 2
    network.train(was_training)


def _collect(
    network: Network,
    chosen: Tensor,
    parts: int,
    symmetries: Sequence[Symmetry],
    half: torch.dtype | None,
) -> bool:
    """Collect statistics anew in some parts; whether there was memory enough for that."""
    # Neighbours in a set are often alike; every batch takes from all over it.
    some = [chosen[part::parts] for part in range(parts)]
    try:
        if not isinstance(network.backbone, TrainedFeatures):  # which keep those they came with
            with _collecting(network.backbone):
                for part in some:
                    _mean_features(network, part.to(network.device), [(0, False)], half)
        with _collecting(network.hidden):
            for part in some:
                mean = _mean_features(network, part.to(network.device), symmetries, half)
                with autocast(network.device, half):
                    network.project(mean)
    except (MemoryError, RuntimeError) as error:
        # A mean over one patch would say nothing of how patches differ.
        if len(chosen) < 4 * parts or not is_out_of_memory(error):
            raise
        return False
    return True


@contextmanager
def _collecting(module: nn.Module) -> Iterator[None]:
    """Let the batch normalisation of a part of a network start its statistics anew."""
    norms = [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
        norm.train()
    try:
        yield
    finally:
        for norm, momentum in zip(norms, before, strict=True):
            norm.momentum = momentum
            norm.eval()
