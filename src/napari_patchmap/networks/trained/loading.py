"""Loading the published weights of a trained network, or those of a file."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from napari_patchmap.errors import ConfigError
from napari_patchmap.few_names import and_more
from napari_patchmap.networks.timm_models import timm
from napari_patchmap.networks.trained.hub_files import WEIGHTS, hub_file, is_weights
from napari_patchmap.networks.trained.making import make_net, timm_arguments
from napari_patchmap.networks.trained.network_names import is_path
from napari_patchmap.networks.trained.origin import Origin, found_again
from napari_patchmap.networks.trained.trained_features import TrainedFeatures
from napari_patchmap.networks.trained.trained_record import TrainedRecord
from napari_patchmap.networks.weights import (
    IN_BLOCK,
    has_blocks_of,
    load_into,
    read_weights,
    weights_from,
)

#: Layers that are named in a sentence at most.
_NAMED = 3


def load_published(backbone: TrainedFeatures, file: str | None) -> str:
    """Load the weights of a network, or of each of several, and write down which they are.

    Parameters
    ----------
    backbone : TrainedFeatures
    file : str or None
        In place of the published weights.

    Returns
    -------
    str
        Where they came from.

    Raises
    ------
    ConfigError
        As :func:`load_weights` does.
    """
    sources = []
    for part in backbone.parts:
        known = part.record
        origin = found_again(known, file)
        source, digest, revision = load_weights(part, origin, file)
        part.record = replace(known, sha256=digest, revision=revision or known.revision)
        sources.append(source)
    backbone.gather()
    return " and ".join(sources)


def load_again(features: TrainedFeatures, file: str | None) -> None:
    """Load the very weights that are written of a network, of the same revision.

    Raises
    ------
    ConfigError
        As :func:`load_weights` does, or if they are others by now.
    """
    known = features.record
    origin = replace(found_again(known, file), revision=known.revision)
    source, digest, _ = load_weights(features, origin, file)
    if digest != known.sha256:
        raise ConfigError(
            f"The weights in {source} are not those that were used (SHA-256 "
            f"{known.sha256[:12]}...); bring those back."
        )


def check_weights(record: TrainedRecord, channels: int, file: str | None) -> None:
    """Say, before anything is computed, that weights on this computer are of another network.

    Parameters
    ----------
    record : TrainedRecord
        Of one network.
    channels : int
        Of the patches.
    file : str or None
        In place of the network's own weights.

    Raises
    ------
    ConfigError
        As :func:`load_weights` does.
    """
    if not (file or is_path(record.name)):
        return  # they have to be downloaded
    origin = found_again(record, file)
    path = Path(file).expanduser() if file else origin.file
    with torch.device("meta"):
        net = make_net(record, channels)
    if path is None or not has_blocks_of(net, read_weights(path, hold=False)):
        load_weights(TrainedFeatures(record, channels), origin, file)


def load_weights(
    features: TrainedFeatures, origin: Origin, file: str | None
) -> tuple[str, str, str]:
    """Load the weights of a network.

    Returns
    -------
    source : str
        Where they came from.
    sha256, revision : str
        Of the file, as hexadecimal digits; the commit it is of, "" where that is unknown.

    Raises
    ------
    ConfigError
        If they cannot be read or downloaded, or are those of another network; it says which
        layers differ.
    """
    path, revision = None if file is None else Path(file).expanduser(), ""
    if path is None:
        path = origin.file
    if path is None and origin.repository:
        repository, _, wanted = origin.repository.partition("@")
        names = (str(origin.config.get("hf_hub_filename") or WEIGHTS[0]), *WEIGHTS[1:])
        path, revision = hub_file(repository, origin.revision or wanted, names)
    if path is not None:
        weights, source, digest = read_weights(path), str(path.absolute()), _sha256(path)
    else:
        weights, source = weights_from(origin.name, None)
        digest = _sha256_of(weights)
    if file is None and origin.repository:
        source = f"https://huggingface.co/{origin.repository}"
    if origin.library == "torchvision":
        differs = _into_torchvision(features, weights)
    else:
        differs = _into_timm(features, origin, weights)
    if differs:
        alone = is_weights(Path(origin.name))
        name, remedy = origin.name, "give the file of that network"
        if alone:
            name, remedy = origin.architecture, "name the network to which they belong"
        raise ConfigError(
            f"The weights in {source} are not those of {name} ({differs}); {remedy}."
        )
    return source, digest, revision


def _into_torchvision(features: TrainedFeatures, weights: dict[str, Tensor]) -> str:
    first, wanted = weights.get("conv1.weight"), features.net.state_dict()["conv1.weight"]
    if first is not None and first.shape[1] != wanted.shape[1]:
        count = wanted.shape[1]
        # Equal for all channels, so that a grey image gives what it gave as RGB.
        mean = first.sum(dim=1, keepdim=True) / count
        weights = {**weights, "conv1.weight": mean.expand(-1, count, -1, -1)}
    return load_into(features.net, weights)


def _into_timm(features: TrainedFeatures, origin: Origin, weights: dict[str, Tensor]) -> str:
    """Load weights by timm's own rules for names, sizes and channels; return what differs."""
    record = features.record
    wanted = features.net.state_dict()
    alike = all(
        key in weights and weights[key].shape == value.shape for key, value in wanted.items()
    )
    if alike and not _left_over(set(weights) - set(wanted)):
        features.net.load_state_dict({key: weights[key] for key in wanted})
        return ""
    known = _without_source(origin.config)
    takes = features.mean.shape[1] if record.channels == "adapted" else record.takes

    def make(classes: int) -> torch.nn.Module:
        return timm().create_model(
            record.architecture,
            pretrained=True,
            pretrained_cfg=known,
            pretrained_cfg_overlay={"state_dict": dict(weights), "num_classes": classes},
            in_chans=takes,
            num_classes=0,
            **timm_arguments(record.arguments),
        )

    with torch.random.fork_rng([]):
        try:
            net = make(0)  # which wants the very layers of the network
        except RuntimeError as error:
            differs, extra = _differences(str(error))
            if differs:
                return differs
            left = _left_over(extra)
            if left:
                return left
            net = make(1000)  # a classifier at the end, and the like, is left out
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            return (str(error).strip() or type(error).__name__).splitlines()[-1].strip()
    features.net.load_state_dict(net.state_dict())
    return ""


def _without_source(config: dict[str, Any]) -> dict[str, Any]:
    """Return what timm knows of weights, without where they are: they are there already."""
    fields = timm().models.PretrainedCfg.__dataclass_fields__
    kept = {*fields} - {"url", "file", "hf_hub_id", "hf_hub_filename", "source", "custom_load"}
    return {key: value for key, value in config.items() if key in kept}


def _differences(error: str) -> tuple[str, set[str]]:
    """Return which layers differ by torch's message, and what is left over of a file."""
    named, extra = [], set()
    for line in error.splitlines():
        quoted = re.findall(r'"([^"]+)"', line)
        if "Missing key" in line:
            named += [f"{key} is missing" for key in quoted]
        elif "Unexpected key" in line:
            extra |= {*quoted}
        elif found := re.search(r"mismatch for (\S+): .*?\[([\d, ]*)\].*?\[([\d, ]*)\]", line):
            key, there, here = found.groups()
            named.append(f"{key} is {there.replace(', ', ' x ')} in place of "
                         f"{here.replace(', ', ' x ')}")  # fmt: skip
    if not named and not extra:
        named = [error.strip().splitlines()[-1].strip()]
    return and_more(named, _NAMED, between=";"), extra


def _left_over(keys: set[str]) -> str:
    left = [f"{key} has no place in it" for key in sorted(keys) if IN_BLOCK.search(key)]
    return and_more(left, _NAMED, between=";")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256_of(weights: dict[str, Tensor]) -> str:
    found = hashlib.sha256()
    for key in sorted(weights):
        found.update(key.encode())
        found.update(weights[key].cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()
