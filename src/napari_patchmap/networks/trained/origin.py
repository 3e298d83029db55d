"""From what a person calls a trained network to what makes it and where its weights lie."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from napari_patchmap.errors import ConfigError
from napari_patchmap.networks.timm_models import PREFIX, timm, timm_names
from napari_patchmap.networks.trained.hub_files import (
    CONFIG,
    REPOSITORY,
    GateClosedError,
    NotReachedError,
    hub_file,
    is_weights,
    network_folder,
    weights_in,
)
from napari_patchmap.networks.trained.known_networks import KNOWN, KnownNetwork, known_of
from napari_patchmap.networks.trained.trained_record import Pooling, check_arguments
from napari_patchmap.networks.weights import TORCHVISION

#: In front of a repository at Hugging Face, and of a folder; as timm has them.
HUB, FOLDER = "hf-hub:", "local-dir:"

#: Of ImageNet's weights of torchvision, which begin at the shorter side of 256 px.
_TORCHVISION_CONFIG = {
    "input_size": (3, 224, 224),
    "crop_pct": 224 / 256,
    "interpolation": "bilinear",
    "mean": (0.485, 0.456, 0.406),
    "std": (0.229, 0.224, 0.225),
}


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


def check_name(name: str) -> None:
    """Raise a ConfigError unless a trained network may be called so.

    Nothing is looked up on the net, and no folder has to be there: settings of a saved run
    may name one of another computer.
    """
    if name in TORCHVISION or _is_path(name):
        return
    if name.startswith(HUB):
        if REPOSITORY.fullmatch(name.removeprefix(HUB)):
            return
        raise ConfigError(
            f"{name!r} is not written as {HUB}OWNER/NAME or {HUB}OWNER/NAME@REVISION, as on "
            "the page of a network at huggingface.co."
        )
    plain = name.removeprefix(PREFIX)
    model, _, tag = plain.partition(".")
    if model in timm_names() and (not tag or plain in timm().list_pretrained()):
        return
    near = _nearest(plain)
    choose = f"choose {', '.join(TORCHVISION)} or the name of a timm model."
    if near:
        choose = f"the closest names are {', '.join(near)}."
    raise ConfigError(f"There is no network {name!r} that comes trained; {choose}")


def find_origin(name: str, weights: str | None = None) -> Origin:
    """Find what makes a trained network.

    Parameters
    ----------
    name : str
        A ResNet of torchvision, a model of timm, ``hf-hub:OWNER/NAME[@REVISION]``, a folder
        with config.json and weights, or a file of weights in such a folder.
    weights : str, optional
        A file that is to be taken in place of the published weights.

    Raises
    ------
    ConfigError
        If there is none, or what says how it is made cannot be had.
    """
    check_name(name)
    if name in TORCHVISION:
        return Origin(name, name, dict(_TORCHVISION_CONFIG), library="torchvision")
    if name.startswith(HUB):
        repository, _, revision = name.removeprefix(HUB).partition("@")
        return _of_hub(name, repository, revision, weights)
    if _is_path(name):
        return _of_path(name)
    plain = name.removeprefix(PREFIX)
    config = timm().get_pretrained_cfg(plain).to_dict()
    repository = "" if config.get("custom_load") == "hf" else str(config.get("hf_hub_id") or "")
    return Origin(name, plain.split(".")[0], config, repository=repository)


def is_place(name: str) -> bool:
    """Whether a name says where a network lies, at Hugging Face or on this computer."""
    return name.startswith(HUB) or _is_path(name)


def _is_path(name: str) -> bool:
    if name.startswith(FOLDER):
        return True
    bare = name.startswith((HUB, PREFIX))
    return not bare and (bool(re.search(r"[/\\~]", name)) or is_weights(Path(name)))


def _of_hub(name: str, repository: str, revision: str, weights: str | None) -> Origin:
    known = KNOWN.get(repository)
    try:
        path, commit = hub_file(repository, revision, (CONFIG,))
    except (GateClosedError, NotReachedError):
        if known is None or weights is None:
            raise
        # Whoever has the weights needs no more than what is known of them here.
        return Origin(
            name,
            known.architecture,
            known.config() | {"license": known.licence},
            dict(known.arguments),
            pooling=known.pooling,
            revision=revision,
        )
    return _of_config(name, path, known, commit or revision, repository=repository)


def _of_path(name: str) -> Origin:
    path = Path(name.removeprefix(FOLDER)).expanduser()
    if path.is_dir():
        folder, revision = network_folder(path)
        file = weights_in(folder)
    elif path.is_file():
        folder, revision, file = path.parent, "", path
        if not (folder / CONFIG).is_file():
            raise ConfigError(
                f"{path} does not say which network its weights are of; put the {CONFIG} that "
                f"belongs to it into {folder}, or give the network by name and this file as "
                "its weights."
            )
    else:
        hint = ""
        if REPOSITORY.fullmatch(name):
            hint = f", or write {HUB}{name} for the one of that name at Hugging Face"
        raise ConfigError(f"There is no network in {path}; check the path{hint}.")
    known = known_of(str(path.absolute()))
    return _of_config(name, folder / CONFIG, known, revision, file=file)


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
    arguments.pop("in_chans", None)
    if known is not None:
        arguments = {**known.arguments, **arguments}
        config = {"license": known.licence, **config}
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


def _nearest(name: str) -> list[str]:
    model, _, tag = name.partition(".")
    if tag and model in timm_names():
        return get_close_matches(name, timm().list_pretrained(f"{model}*"), n=3, cutoff=0.3)
    names = {*TORCHVISION, *timm_names()}
    near = get_close_matches(name, names, n=3, cutoff=0.6)
    if near:
        return near
    # As people call them: "dinobloom", "UNI".
    return [HUB + one for one in KNOWN if len(name) > 2 and name.lower() in one.lower()][:3]
