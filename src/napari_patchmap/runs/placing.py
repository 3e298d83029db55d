"""New patches on the map of a run, on whatever computer it is now."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

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
from napari_patchmap.patches.watch import UNWATCHED, Watch
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


def place_on(run: RunParts, patches: PatchSet, watch: Watch) -> Placed:
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
    _check_prepared(whole_network(run))
    same = prepared_as(run, patches)
    pixels = PatchPixels(same, run.network.spec.size)
    features, embedding = look_at(run, pixels, watch)
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


def _check_prepared(network: Network) -> None:
    """Raise a RunError if a network that came trained sees patches otherwise than it did."""
    backbone, spec = network.backbone, network.spec
    if isinstance(backbone, TrainedFeatures):
        try:
            backbone.check_probe(spec.channels, spec.size)
        except ConfigError as error:
            raise RunError(str(error)) from None


def prepared_as(run: RunParts, patches: PatchSet) -> PatchSet:
    """Return patches that are scaled to 8 bits, and brought to size, as those of a run were."""
    return replace(patches, intensity=run.images.intensity, fit=patches.fit or run.images.fit)


def look_at(
    run: RunParts, pixels: Pixels, watch: Watch = UNWATCHED
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the network of a run makes of pixels: features and outputs.

    On the best device there is here now, unless the person chose the CPU, and in the precision
    of the training, so that a patch lands where it was.
    """
    network, precision = whole_network(run), getattr(torch, run.info.get("half") or "float32")

    def look(device: torch.device) -> tuple[np.ndarray, np.ndarray]:
        there = network if device.type == "cpu" else copy.deepcopy(network).to(device)
        half = in_hardware(precision, device)
        return infer(there, pixels, symmetries=run.symmetries, half=half, watch=watch)

    device = choose_device("cpu" if run.config.train.device == "cpu" else "auto").target
    if device.type != "cpu":
        # No room, or something that this device does not compute: the run is perhaps of
        # another computer.
        with contextlib.suppress(MemoryError, RuntimeError):
            return look(device)
        free_cached_memory()
    return look(torch.device("cpu"))
