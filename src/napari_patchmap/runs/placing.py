"""What the network of a run makes of new patches, on whatever computer it is now."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from napari_patchmap.augment.views import Symmetry
from napari_patchmap.errors import ConfigError, RunError
from napari_patchmap.networks import Network
from napari_patchmap.networks.device import in_hardware
from napari_patchmap.networks.inference import infer
from napari_patchmap.networks.out_of_memory import free_cached_memory
from napari_patchmap.networks.pixels import Pixels
from napari_patchmap.networks.trained.trained_features import TrainedFeatures


@dataclass(frozen=True)
class Placed:
    """New patches on a map.

    Parameters
    ----------
    embedding : ndarray of float32, shape (m, dimensions)
    unlikeness : ndarray of float32, shape (m,)
        How far each is from the nearest patch of the map, by its features; above 1
        is farther than 99 % of those are from each other.
    notes : tuple of str
        How they differ from the map's own patches, in sentences.
    features : ndarray of float32, shape (m, d)
        What the run's network makes of them, evened out if the map is.
    """

    embedding: np.ndarray
    unlikeness: np.ndarray
    notes: tuple[str, ...]
    features: np.ndarray


def check_prepared(network: Network) -> None:
    """Raise a RunError if a network that came trained sees patches otherwise than it did."""
    backbone, spec = network.backbone, network.spec
    if isinstance(backbone, TrainedFeatures):
        try:
            backbone.check_probe(spec.channels, spec.size)
        except ConfigError as error:
            raise RunError(str(error)) from None


def look_at(
    network: Network,
    pixels: Pixels,
    device: torch.device,
    *,
    precision: torch.dtype,
    symmetries: Sequence[Symmetry],
    watch: Callable[[int, int], None] | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return features and outputs of patches; on the CPU where the device cannot."""
    half = in_hardware(precision, device)
    try:
        there = copy.deepcopy(network).to(device) if device.type != "cpu" else network
        return infer(there, pixels, symmetries=symmetries, half=half, watch=watch)
    except (MemoryError, RuntimeError):
        # No room, or something that this device does not compute: the run is perhaps of
        # another computer.
        if device.type == "cpu":
            raise
    free_cached_memory()
    cpu = torch.device("cpu")
    return look_at(
        network, pixels, cpu, precision=precision, symmetries=symmetries, watch=watch
    )
