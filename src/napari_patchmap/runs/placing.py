"""New patches on the map of a run, on whatever computer it is now."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from napari_patchmap.augment.views import Symmetry
from napari_patchmap.errors import ConfigError, RunError
from napari_patchmap.explore.feature_rows import check_features
from napari_patchmap.networks import Network
from napari_patchmap.networks.device import choose_device, in_hardware
from napari_patchmap.networks.fixed import OwnFeatures
from napari_patchmap.networks.inference import infer
from napari_patchmap.networks.out_of_memory import free_cached_memory
from napari_patchmap.networks.pixels import PatchPixels, Pixels
from napari_patchmap.networks.trained.trained_features import TrainedFeatures
from napari_patchmap.patches import PatchSet
from napari_patchmap.runs.given_for_new import features_of_new
from napari_patchmap.runs.image_kind import unlikeness
from napari_patchmap.runs.network_file import whole_network
from napari_patchmap.runs.run_parts import RunParts


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


def place_on(
    run: RunParts, patches: PatchSet, watch: Callable[[int, int], None] | None
) -> Placed:
    """Place patches on the map of a run; see :meth:`napari_patchmap.runs.Run.place`."""
    own = run.features  # once: many are read anew each time
    check_features(own)
    if isinstance(run.network.backbone, OwnFeatures):
        given = features_of_new(run, patches, run.network.backbone)
        given = run.network.given_away(given)
        return _placed(run, given, own, patches)
    if len(patches.channel_names) != len(run.images.channel_names):
        raise RunError(
            f"{patches.name} has {patches.channels} channel(s), but the map {run.name} "
            f"was trained on {len(run.images.channel_names)} "
            f"({', '.join(run.images.channel_names)}); use images of the same kind."
        )
    network = whole_network(run)
    check_prepared(network)
    fit = patches.fit or run.images.fit
    same = replace(patches, intensity=run.images.intensity, fit=fit)
    features, embedding = look_at(
        network,
        PatchPixels(same, network.spec.size),
        # The best there is here now, unless the person chose the CPU.
        choose_device("cpu" if run.config.train.device == "cpu" else "auto").target,
        # In the precision of the training, so that a patch lands where it was.
        precision=getattr(torch, run.info.get("half") or "float32"),
        symmetries=run.symmetries,
        watch=watch,
    )
    return _placed(run, features, own, same, embedding, run.images.differences(same))


def _placed(
    run: RunParts,
    features: np.ndarray,
    own: np.ndarray,
    patches: PatchSet,
    outputs: np.ndarray | None = None,
    notes: Sequence[str] = (),
) -> Placed:
    """Place patches by their features among those of the map, which are ``own``."""
    said = ""
    if run.evened is not None:
        features, said = run.evened.of_new(features, patches.table)
    if run.layout == "tsne" or outputs is None:
        outputs = run.config.train.tsne().place(
            features, own, run.embedding, jobs=torch.get_num_threads()
        )
    unlike, sentence = unlikeness(features, own)
    return Placed(outputs, unlike, (*notes, *filter(None, [said, sentence])), features)


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
