"""From what a person calls a trained network to what makes it and where its weights lie."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from napari_patchmap.errors import ConfigError, about
from napari_patchmap.networks.timm_models import PREFIX, timm, timm_names
from napari_patchmap.networks.trained.hub_files import (
    CONFIG,
    REPOSITORY,
    GateClosedError,
    NotReachedError,
    hub_file,
    network_folder,
    weights_in,
)
from napari_patchmap.networks.trained.known_networks import (
    FOLDER,
    HUB,
    KNOWN,
    KnownNetwork,
    known_of,
)
from napari_patchmap.networks.trained.looks_like import guessed_architecture
from napari_patchmap.networks.trained.network_names import check_name, is_path, nearest
from napari_patchmap.networks.trained.trained_record import (
    Pooling,
    TrainedRecord,
    check_arguments,
)
from napari_patchmap.networks.weights import TORCHVISION, read_weights

#: Of ImageNet's weights of torchvision, which begin at the shorter side of 256 px.
_TORCHVISION_CONFIG = {
    "input_size": (3, 224, 224),
    "crop_pct": 224 / 256,
    "interpolation": "bilinear",
    "mean": (0.485, 0.456, 0.406),
    "std": (0.229, 0.224, 0.225),
}

_SAYS = (
    "{} says itself which network it is; name an architecture only for a file of weights that "
    "lies alone."
)


@dataclass(frozen=True)
class Origin:
    """A trained network before it is made.

    Parameters
    ----------
    name : str
        As it was asked for.
    architecture, library, arguments
        As in :class:`~napari_patchmap.networks.trained.trained_record.TrainedRecord`.
    config : dict
        What is known of its weights, as timm writes it (``pretrained_cfg``).
    pooling : Pooling or None
        That of its publishers where timm does not know.
    revision : str
    file : Path or None
        Its weights, if they are on this computer.
    repository : str
        At Hugging Face, where they are if they have to be downloaded.
    """

    name: str
    architecture: str
    config: dict[str, Any]
    arguments: dict[str, Any] = field(default_factory=dict)
    library: Literal["timm", "torchvision"] = "timm"
    pooling: Pooling | None = None
    revision: str = ""
    file: Path | None = None
    repository: str = ""

    @property
    def licence(self) -> str:
        """Of the weights, "" where nobody says."""
        return str(self.config.get("license") or "")

    @property
    def mpp(self) -> float:
        """Micrometres per pixel of the images that it was trained on, 0 if nobody says."""
        value = self.config.get("mpp")
        return float(value) if isinstance(value, int | float) and 0 < value < 1e3 else 0.0

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the channels that it takes, where they are given."""
        names = self.config.get("channel_names")
        return tuple(map(str, names)) if isinstance(names, list | tuple) else ()


def find_origin(
    name: str, weights: str | None = None, architecture: str | None = None
) -> Origin:
    """Find what makes a trained network.

    Parameters
    ----------
    name : str
        A ResNet of torchvision, a model of timm, ``hf-hub:OWNER/NAME[@REVISION]``, a folder
        with config.json and weights, or a file of weights, in such a folder or alone.
    weights : str, optional
        A file that is to be taken in place of the published weights.
    architecture : str, optional
        The network whose weights a file holds that lies alone: a model of timm, or a name
        at Hugging Face that is known here.

    Raises
    ------
    ConfigError
        If there is none, or what says how it is made cannot be had.
    """
    check_name(name)
    if architecture is not None and not is_path(name):
        raise ConfigError(_SAYS.format(name))
    if name in TORCHVISION:
        return Origin(name, name, dict(_TORCHVISION_CONFIG), library="torchvision")
    if name.startswith(HUB):
        repository, _, revision = name.removeprefix(HUB).partition("@")
        return _of_hub(name, repository, revision, weights)
    if is_path(name):
        return _of_path(name, architecture)
    plain = name.removeprefix(PREFIX)
    config = timm().get_pretrained_cfg(plain).to_dict()
    repository = "" if config.get("custom_load") == "hf" else str(config.get("hf_hub_id") or "")
    return Origin(name, plain.split(".")[0], config, repository=repository)


def origin_of(known: KnownNetwork) -> Origin:
    """Return what makes a network that is known here, without looking anywhere."""
    if known.name in TORCHVISION or not known.name.startswith(HUB):
        return find_origin(known.name)
    return _of_known(known.name, known)


def found_again(record: TrainedRecord, weights: str | None = None) -> Origin:
    """Find a network by what is written of it; raises as :func:`find_origin`."""
    path = Path(record.name.removeprefix(FOLDER)).expanduser()
    alone = is_path(record.name) and path.is_file() and not (path.parent / CONFIG).is_file()
    return find_origin(record.name, weights, record.architecture if alone else None)


def _of_hub(name: str, repository: str, revision: str, weights: str | None) -> Origin:
    known = KNOWN.get(repository)
    try:
        path, commit = hub_file(repository, revision, (CONFIG,))
    except (GateClosedError, NotReachedError):
        if known is None or weights is None or not known.architecture:
            raise
        # Whoever has the weights needs no more than what is known of them here.
        return replace(_of_known(name, known), revision=revision)
    return _of_config(name, path, known, commit or revision, repository=repository)


def _of_known(name: str, known: KnownNetwork, file: Path | None = None) -> Origin:
    """Describe a network by what is known of it here alone."""
    return Origin(
        name,
        known.architecture,
        known.config(),
        dict(known.arguments),
        pooling=known.pooling,
        file=file,
    )


def _of_path(name: str, architecture: str | None) -> Origin:
    path = Path(name.removeprefix(FOLDER)).expanduser()
    known = known_of(str(path.absolute()))
    if path.is_dir():
        if architecture is not None:
            raise ConfigError(_SAYS.format(path))
        folder, revision = network_folder(path)
        file = weights_in(folder)
    elif path.is_file():
        folder, revision, file = path.parent, "", path
        if architecture is not None:
            with about("architecture"):
                return _of_file(name, path, architecture)
        if not (folder / CONFIG).is_file():
            if known is not None and known.architecture:
                return _of_known(name, known, path)
            said = _which(path)
            with about("architecture"):
                raise ConfigError(said)
    else:
        hint = ""
        if REPOSITORY.fullmatch(name):
            hint = f", or write {HUB}{name} for the one of that name at Hugging Face"
        raise ConfigError(f"There is no network in {path}; check the path{hint}.")
    return _of_config(name, folder / CONFIG, known, revision, file=file)


def _of_file(name: str, path: Path, architecture: str) -> Origin:
    """Describe a file of weights by the network that a person says it belongs to."""
    known = KNOWN.get(architecture.removeprefix(HUB))
    if known is not None and known.architecture:
        return _of_known(name, known, path)
    plain = architecture.removeprefix(PREFIX)
    model, _, tag = plain.partition(".")
    if model not in timm_names():
        near = ", ".join(nearest(plain))
        choose = f"the closest names are {near}" if near else "name one of timm's models"
        raise ConfigError(
            f"There is no network {architecture!r} in timm to which {path} could belong; "
            f"{choose}."
        )
    said = plain if tag and plain in timm().list_pretrained() else model
    # The licence is that of timm's weights, and not of a person's file.
    config = timm().get_pretrained_cfg(said).to_dict() | {"license": ""}
    return Origin(name, model, config, file=path)


def _which(path: Path) -> str:
    """Say what is to be done with a file of weights that does not say what it is of."""
    guess = guessed_architecture(read_weights(path))
    looks = f", such as {guess}, which it looks like" if guess else ", a model of timm"
    return (
        f"{path} does not say which network its weights are of; name that as architecture "
        f"(--architecture{looks}), or put the {CONFIG} that belongs to it into "
        f"{path.absolute().parent}."
    )


def _of_config(
    name: str,
    path: Path,
    known: KnownNetwork | None,
    revision: str,
    *,
    repository: str = "",
    file: Path | None = None,
) -> Origin:
    """Read what timm writes beside the weights of a network."""
    try:
        saved = json.loads(path.read_text("utf-8"))
        config = dict(saved.get("pretrained_cfg") or saved)
        # For which timm has no place.
        config |= {key: saved[key] for key in ("mpp", "channel_names") if key in saved}
        arguments = dict(saved.get("model_args") or {})
    except (OSError, ValueError, TypeError, AttributeError):
        raise ConfigError(
            f"{path} cannot be read; it is damaged or only part of it was downloaded, so get "
            "it again."
        ) from None
    architecture = str(saved.get("architecture") or config.get("architecture") or "")
    architecture = architecture.split(".")[0]
    if architecture not in timm_names():
        kind = saved.get("model_type")
        what = architecture or (f"a {kind} network" if kind else "no network")
        raise ConfigError(
            f"{path} describes {what}, which timm cannot make, and code that comes with a "
            "network is not run here; choose one whose page names timm as its library."
        )
    arguments.pop("num_classes", None)
    takes = arguments.pop("in_chans", None)
    if isinstance(takes, int) and 0 < takes < 1000:
        sides = tuple(config.get("input_size") or (3, 224, 224))[1:]
        config["input_size"] = (takes, *sides)
    if known is not None:
        arguments = {**known.arguments, **arguments}
        # Of what its config.json leaves out, such as how much of an image is cut off.
        config = {**known.config(), **config}
    check_arguments(arguments, name)
    return Origin(
        name,
        architecture,
        config,
        arguments,
        pooling=None if known is None else known.pooling,
        revision=revision,
        file=file,
        repository=repository,
    )
