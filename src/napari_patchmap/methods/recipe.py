"""What a method does from the first step to the map, with one kind of backbone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from napari_patchmap.methods.coarse import WHOLE, Coarse
from napari_patchmap.methods.stage import Stage
from napari_patchmap.networks.trained.learned_on import LEARNED


@dataclass(frozen=True)
class Recipe:
    """How a network is trained, and how its features become a map.

    Parameters
    ----------
    stages : tuple of Stage
    hidden : tuple of int
        Units of the projector's hidden layers.
    norm : bool
        Whether those are batch-normalised.
    start : {"random", "pca", "tsne"}
        First layer of a map that the network itself lays out: normally
        distributed, as published; the main axes of the 128-D outputs; or a new
        projector that first learns the t-SNE of the features and only then the loss.
    average_symmetries : bool
        Whether a patch's place on the map is computed from the mean features of
        its turned and mirrored copies.
    recalibrate : bool
        Whether batch normalisation gets the statistics of patches as they are
        after each stage that trains the backbone, and after the last.
    whitened_start : bool
        Whether the first layer of a backbone that can have it so rests on main axes of the
        patches, see :mod:`~napari_patchmap.networks.first_layer`.
    """

    stages: tuple[Stage, ...]
    hidden: tuple[int, ...] = ()
    norm: bool = False
    start: Literal["random", "pca", "tsne"] = "random"
    average_symmetries: bool = False
    recalibrate: bool = False
    whitened_start: bool = False

    def settles_after(self, number: int) -> bool:
        """Whether statistics are wanted after a stage: not while the backbone rests."""
        is_last = number + 1 == len(self.stages)
        return self.recalibrate and (is_last or self.stages[number].learns_features)


#: Tuned for minutes on CPUs, the same for ResNets on a GPU, or as published.
RecipeKind = Literal["compact", "quick", "paper"]


@dataclass(frozen=True)
class RecipeRequest:
    """What a recipe is asked for.

    Parameters
    ----------
    kind : {"compact", "quick", "paper"}
    epochs : tuple of float
        One number a stage.
    batch_size : int
        Patches in a step.
    dimensions : int
        Of the map; t-SNE sees to that where the network does not lay it out.
    temperature : float or None
        Of the similarity, for methods that have one; None for the usual.
    """

    kind: RecipeKind
    epochs: tuple[float, ...]
    batch_size: int
    dimensions: int = 2
    temperature: float | None = None

    @property
    def hurried(self) -> bool:
        """Whether the network is to learn within minutes."""
        return self.kind != "paper"

    @property
    def coarse(self) -> Coarse:
        """Which views are small while features are learned within minutes on a CPU."""
        return Coarse(0.75, 4 / 7) if self.kind == "compact" else WHOLE

    @property
    def scale(self) -> float:
        """Patches in a step in units of 256, for which rates are published."""
        return self.batch_size / 256


def kind_of(backbone: str, preset: str) -> RecipeKind:
    """Name the kind of recipe that goes with a backbone and a preset.

    One that came trained and learns on needs few steps, too. ResNets that begin at random
    learn within minutes, if they are asked to; other networks, and those of which only the
    weights were trained before, by what is published.
    """
    if backbone == "compact" or backbone.startswith(LEARNED):
        return "compact"
    return "quick" if preset == "quick" and backbone.startswith("resnet") else "paper"
