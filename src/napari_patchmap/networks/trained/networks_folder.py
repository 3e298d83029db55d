"""Where downloaded networks are kept, for all libraries that download some."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch

#: Any of these says where Hugging Face's client keeps networks, and torch's hub.
_HUGGING_FACE, _TORCH = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME"), ("TORCH_HOME",)

#: What the environment of the program said when it began.
_SAID = {name for name in (*_HUGGING_FACE, *_TORCH) if os.environ.get(name)}

#: Where it was before anybody preferred something.
_usual: dict[str, str] = {}


def prefer_networks_in(folder: Path | None) -> None:
    """Keep networks that are downloaded from now on in a folder, and look for them there.

    What the environment says (``HF_HUB_CACHE``, ``HF_HOME``, ``TORCH_HOME``) goes before.
    Files lie in it as the libraries lay them, so that the folder can be copied to a computer
    without internet. None takes the usual places.
    """
    if not _SAID & set(_HUGGING_FACE):
        _prefer_hugging_face(folder)
    if not _SAID & set(_TORCH):
        _usual.setdefault("torch", torch.hub.get_dir())
        torch.hub.set_dir(str(folder / "torch") if folder else _usual["torch"])


def _prefer_hugging_face(folder: Path | None) -> None:
    """Say it to the client, be it imported already or later."""
    if folder is None:
        os.environ.pop("HF_HUB_CACHE", None)
    else:
        os.environ["HF_HUB_CACHE"] = str(folder)
    client: object = sys.modules.get("huggingface_hub.constants")
    if client is None:
        return
    if folder is not None:
        _usual.setdefault("hub", str(vars(client)["HF_HUB_CACHE"]))
    if place := str(folder) if folder else _usual.get("hub"):
        vars(client)["HF_HUB_CACHE"] = place
