"""How long networks take to look at patches on this computer, before any is downloaded."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from napari_patchmap.networks.device import Device
from napari_patchmap.networks.trained.input_size import channels_of
from napari_patchmap.networks.trained.known_networks import KnownNetwork
from napari_patchmap.networks.trained.making import make_net
from napari_patchmap.networks.trained.origin import origin_of
from napari_patchmap.networks.trained.trained_features import TrainedFeatures, describe
from napari_patchmap.networks.trained.trained_record import TrainedRecord
from napari_patchmap.patches.watch import UNWATCHED, Watch

#: Patches that a network is tried with, and how long at most, in seconds.
_TRIED, _LONGEST = 4, 1.0


@dataclass(frozen=True)
class Cost:
    """What a network takes.

    Parameters
    ----------
    side : int
        At which it sees patches, in pixels.
    seconds : float
        For 1,000 patches.
    tried : bool
        Whether it was tried, with weights drawn at random; else it is worked out from the
        operations that it makes beside those of a network that was tried.
    """

    side: int
    seconds: float
    tried: bool


def costs_of(
    networks: Sequence[KnownNetwork],
    patch: tuple[int, int],
    device: Device,
    watch: Watch = UNWATCHED,
) -> dict[str, Cost]:
    """Estimate what networks take for 1,000 colour patches, by their names.

    Only what timm makes without a file of the network is among the answers.

    Parameters
    ----------
    networks : sequence of KnownNetwork
    patch : (height, width)
        Of the patches, in pixels.
    device : Device
    watch : Watch, optional
        Asked before each pass of a network; what was found until then is returned.
    """
    found: dict[str, Cost] = {}
    rate = 0.0  # operations a second, of the transformer that was tried
    for network in networks:
        if watch.stops:
            break
        if not network.architecture:
            continue
        origin = origin_of(network)
        record = describe(origin, channels_of(origin.config), patch)
        side = min(record.size)
        if any(record.tokens) and rate:
            found[network.name] = Cost(side, 1000 * operations(record) / rate, False)
            continue
        seconds = _try(record, patch, device, watch)
        if seconds is None:
            break
        if any(record.tokens):
            rate = operations(record) / seconds
        found[network.name] = Cost(side, 1000 * seconds, True)
    return found


def operations(record: TrainedRecord) -> float:
    """Return how many operations a network makes for an image; nothing is computed."""
    with torch.device("meta"), torch.inference_mode():
        net = make_net(record, record.takes).eval()
        with FlopCounterMode(display=False) as counter:
            net(torch.empty(1, record.takes, *record.size))
    return float(counter.get_total_flops())


def _try(
    record: TrainedRecord,
    patch: tuple[int, int],
    device: Device,
    watch: Watch,
) -> float | None:
    """Return the seconds that a patch takes a network with weights drawn at random.

    None where it is to stop.
    """
    with torch.random.fork_rng([]):
        features = TrainedFeatures(record, record.takes).eval().to(device.target)
    images = torch.rand(_TRIED, record.takes, *patch, device=device.target)
    fastest, began = float("inf"), time.monotonic()
    with torch.inference_mode(), device.autocast():
        while not watch.stops:
            start = time.monotonic()
            features(images).cpu()
            fastest = min(fastest, time.monotonic() - start)
            if time.monotonic() - began > _LONGEST:
                return fastest / _TRIED
    return None
