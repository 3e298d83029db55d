"""All methods by name."""

from __future__ import annotations

from typing import Any, Literal, get_args

from napari_patchmap.errors import TrainingError
from napari_patchmap.methods import baselines, dino, simclr, tsimcne
from napari_patchmap.methods.recipe import Recipe, kind_of

Method = Literal["tsimcne", "simclr", "dino", "pixels", "pretrained"]
METHODS: tuple[str, ...] = get_args(Method)

#: What a method is called in print.
TITLES = {
    "tsimcne": "t-SimCNE",
    "simclr": "SimCLR",
    "dino": "DINO",
    "pixels": "t-SNE of pixels",
    "pretrained": "t-SNE of pretrained features",
}

_MODULES: dict[str, Any] = {
    "tsimcne": tsimcne,
    "simclr": simclr,
    "dino": dino,
    "pixels": baselines,
    "pretrained": baselines,
}

#: What makes a map of the features: the network itself, or t-SNE.
LAYOUTS = {name: module.LAYOUT for name, module in _MODULES.items()}

#: How many stages a method trains.
STAGES = {name: len(module.STAGE_NAMES) for name, module in _MODULES.items()}

#: Methods that train nothing: they look at the patches as they are, never at views.
UNTRAINED = tuple(name for name, stages in STAGES.items() if not stages)


def make_recipe(
    method: str,
    backbone: str,
    epochs: tuple[float, ...],
    batch_size: int,
    dimensions: int = 2,
    temperature: float | None = None,
) -> Recipe:
    """Return how a method trains a backbone.

    Parameters
    ----------
    method : {"tsimcne", "simclr", "dino", "pixels", "pretrained"}
    backbone : str
    epochs : tuple of float
        One number a stage.
    batch_size : int
    dimensions : int
        Of the map.
    temperature : float, optional
        Of the cosine similarity, for methods that have one; None for the usual.

    Raises
    ------
    TrainingError
        If there are more or fewer epochs than stages.
    """
    stages = STAGES[method]
    if epochs and not stages:
        raise TrainingError(f"The method {method} trains nothing, so it takes no epochs.")
    if len(epochs) != stages:
        need = "one stage and needs one number" if stages == 1 else (
            f"{_WORDS[stages]} stages and needs {_WORDS[stages]} numbers"
        )  # fmt: skip
        raise TrainingError(f"{TITLES[method]} has {need} of epochs, not {len(epochs)}.")
    return _MODULES[method].recipe(backbone, epochs, batch_size, dimensions, temperature)


def preset_epochs(method: str, preset: str, backbone: str, patches: int) -> tuple[float, ...]:
    """Epochs of the stages of a preset, for a set of so many patches."""
    return _MODULES[method].preset_epochs(preset, backbone, patches)


def usual_batch(method: str, backbone: str) -> int:
    """Patches in a step."""
    return _MODULES[method].BATCH_SIZES[kind_of(backbone)]


_WORDS = {2: "two", 3: "three"}
