"""What people may call a trained network, and what is said of a name that is none."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path

from napari_patchmap.errors import ConfigError
from napari_patchmap.networks.timm_models import PREFIX, timm, timm_names
from napari_patchmap.networks.trained.hub_files import REPOSITORY, is_weights
from napari_patchmap.networks.trained.known_networks import FOLDER, HUB, KNOWN
from napari_patchmap.networks.weights import TORCHVISION

#: Between the names of networks whose features are set side by side.
_AND = "+"


def split_names(name: str) -> tuple[str, ...]:
    """Return the names of networks whose features are set side by side, mostly one."""
    if _AND not in name or (is_path(name) and Path(name.removeprefix(FOLDER)).exists()):
        return (name,)
    parts = tuple(part.strip() for part in name.split(_AND))
    if not all(parts) or len(set(parts)) < len(parts):
        raise ConfigError(
            f"{name!r} does not name different networks; write two names with {_AND} between "
            "them, such as resnet18+tf_efficientnet_lite0."
        )
    return parts


def check_names(name: str) -> None:
    """Raise a ConfigError unless each of the networks of a name may be called so."""
    for one in split_names(name):
        check_name(one)


def check_name(name: str) -> None:
    """Raise a ConfigError unless a trained network may be called so.

    Nothing is looked up on the net, and no folder has to be there: settings of a saved run
    may name one of another computer.
    """
    if name in TORCHVISION or is_path(name):
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
    near = nearest(plain)
    choose = f"choose {', '.join(TORCHVISION)} or the name of a timm model."
    if near:
        choose = f"the closest names are {', '.join(near)}."
    raise ConfigError(f"There is no network {name!r} that comes trained; {choose}")


def is_place(name: str) -> bool:
    """Whether a name says where a network lies, at Hugging Face or on this computer."""
    return name.startswith(HUB) or is_path(name)


def is_path(name: str) -> bool:
    """Whether a name is the path of a folder or file."""
    if name.startswith(FOLDER):
        return True
    bare = name.startswith((HUB, PREFIX))
    return not bare and (bool(re.search(r"[/\\~]", name)) or is_weights(Path(name)))


def nearest(name: str) -> list[str]:
    """Return the names closest to one that there is not, at most three."""
    model, _, tag = name.partition(".")
    if tag and model in timm_names():
        return get_close_matches(name, timm().list_pretrained(f"{model}*"), n=3, cutoff=0.3)
    names = {*TORCHVISION, *timm_names()}
    near = get_close_matches(name, names, n=3, cutoff=0.6)
    if near:
        return near
    # As people call them: "dinobloom", "UNI", which is not the end of another's name.
    called = [
        known.name
        for one, known in KNOWN.items()
        if len(name) > 2 and name.lower() in (one + known.title).lower()
    ]
    whole = re.compile(rf"\b{re.escape(name)}\b", re.IGNORECASE)
    return sorted(called, key=lambda one: whole.search(one) is None)[:3]
