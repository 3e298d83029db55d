"""The network as a run begins, and as its map begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Literal

import torch
from torch import Tensor, nn

from napari_patchmap.augment.views import plain
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.networks.fine_tuned import FINE_TUNED, PUBLISHED, FineTuned, load_start
from napari_patchmap.networks.first_layer import whiten_first_layer
from napari_patchmap.networks.fixed import PixelFeatures
from napari_patchmap.networks.inference import infer
from napari_patchmap.networks.pixels import Pixels, spread
from napari_patchmap.networks.trained.loading import load_published
from napari_patchmap.networks.trained.trained_features import TrainedFeatures

#: Patches from which main axes are taken.
_AXES_SAMPLE = 4096

#: Where pieces of them are looked at, at least these, and no more than are so many numbers.
_PIECES_SAMPLE, _MOST_NUMBERS = 64, 2**24

#: And where each costs a look of a large network at all of its channels.
_CHANNEL_SAMPLE = 2048


def make_network(
    spec: NetworkSpec,
    pixels: Pixels,
    weights: str | None,
    say: Callable[[str], None],
    device: torch.device,
) -> tuple[Network, str | None]:
    """Make a network, and say where its weights came from if they were not drawn at random.

    ``weights`` is the setting: a file, "published", or None for what is usual. Of pixels
    as features, of pieces of patches and of features of many channels the main axes are taken;
    the latter on ``device``.
    """
    network, used = Network(spec), None
    backbone, file = network.backbone, None if weights == PUBLISHED else weights
    if isinstance(backbone, TrainedFeatures):
        say("getting weights")
        used = _get_trained(network, backbone, pixels, file, device)
    elif isinstance(backbone, FineTuned):
        say("getting weights")
        name = spec.backbone.removeprefix(FINE_TUNED)
        used = load_start(backbone, name, spec.channels, file)
    elif isinstance(backbone, PixelFeatures):
        backbone.fit(plain(spread(pixels, _AXES_SAMPLE)).cpu())
    elif spec.first_layer == "whitened":
        count = min(_AXES_SAMPLE, max(_PIECES_SAMPLE, _MOST_NUMBERS // prod(pixels.shape[1:])))
        whiten_first_layer(backbone, plain(spread(pixels, count)).cpu())
    return network, used


def _get_trained(
    network: Network,
    backbone: TrainedFeatures,
    pixels: Pixels,
    file: str | None,
    device: torch.device,
) -> str:
    """Give a network its weights, and write down in its spec which they are."""
    network.eval()
    source = load_published(backbone, file)
    some = spread(pixels, _CHANNEL_SAMPLE)
    network.to(device)
    backbone.fit(lambda part: plain(some[part].to(device)), len(some))
    network.cpu()
    note_probe(network)
    return source


def note_probe(network: Network) -> None:
    """Write down what a network that came trained, on the CPU, makes of a made-up patch now.

    It is in evaluation mode.
    """
    backbone, spec = network.backbone, network.spec
    if isinstance(backbone, TrainedFeatures):
        backbone.note_probe(spec.channels, spec.size)
        network.spec = replace(spec, trained=backbone.record)


def features_of_some(network: Network, pixels: Pixels, half: torch.dtype | None) -> Tensor:
    """Return the features of patches from all over a set, on the network's device."""
    features, _ = infer(network, spread(pixels, _AXES_SAMPLE), half=half)
    return torch.from_numpy(features).to(network.device)


@torch.no_grad()
def start_map(
    network: Network,
    features: Tensor,
    start: Literal["random", "pca", "tsne"],
    dimensions: int = 2,
) -> None:
    """Replace the output layer of ``network`` by a new one with the map's dimensions.

    "random" draws the weights from N(0, 1) and keeps the small uniform bias, as published;
    it uses torch's global generator. All others take the main axes of the outputs for some
    features (n, d).
    """
    old = network.output
    assert isinstance(old, nn.Linear)
    if start == "random":
        bound = old.in_features**-0.5
        weight = torch.randn(dimensions, old.in_features)
        bias = torch.empty(dimensions).uniform_(-bound, bound)
    else:
        # On the CPU, since Apple GPUs have no double precision.
        outputs = network.project(features).cpu().double()
        mean = outputs.mean(dim=0)
        axes = principal_axes(outputs - mean, dimensions)
        weight = (axes @ old.weight.cpu().double()).float()
        bias = (axes @ (old.bias.cpu().double() - mean)).float()
    network.replace_output(weight, bias)


def principal_axes(centred: Tensor, count: int = 2) -> Tensor:
    """Main axes of ``(n, d)`` centred points, shape (count, d), with a fixed sign."""
    _, vectors = torch.linalg.eigh(centred.T @ centred)
    axes = vectors.flip(1)[:, :count].T
    largest = axes.gather(1, axes.abs().argmax(dim=1, keepdim=True))
    return axes * largest.sign()
