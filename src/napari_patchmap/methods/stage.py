"""What a training stage is, and how its learning rate moves."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from torch import Tensor

from napari_patchmap.methods.distillation import Distillation
from napari_patchmap.methods.losses import cauchy_infonce, nt_xent

Optimiser = Literal["sgd", "adamw", "lars", "lamb", "muon"]


@dataclass(frozen=True)
class Stage:
    """One stage of a training run.

    Parameters
    ----------
    name : str
        What it does, in the user's words.
    epochs : float
        Passes over the patches when the run follows epochs.
    share : float
        Share of the training time when the run follows a time budget, 0 to 1.
    lr : float
        Highest learning rate.
    warmup : float
        Share of the stage over which the rate rises to ``lr``, 0 to 1.
    trains : {"all", "output", "projector"}
        Which weights move: all, those of the new output layer, or those of a new
        projector.
    dimensions : int
        Outputs of the network in this stage.
    batch_size : int
        Patches in a step.
    strength : (float, float)
        Strength of the augmentations at the beginning and the end of the stage,
        1 for all of it (see :meth:`AugmentConfig.weakened`).
    neighbours : int
        With a backbone at rest, the features of the patches are computed once,
        averaged over their symmetries, and a step compares each patch with one of
        its so many nearest neighbours among those features; 0 compares new views.
    optimiser : {"sgd", "adamw", "lars", "lamb", "muon"}
    weight_decay : float
    similarity : {"cauchy", "cosine"}
        What the loss compares views with: :func:`cauchy_infonce` or :func:`nt_xent`.
    temperature : float
        Of the cosine similarity.
    distillation : Distillation, optional
        A student learns from a teacher in place of comparing views with each other.
    """

    name: str
    epochs: float
    share: float
    lr: float
    warmup: float
    trains: Literal["all", "output", "projector"]
    dimensions: int
    batch_size: int
    strength: tuple[float, float] = (1.0, 1.0)
    neighbours: int = 0
    optimiser: Optimiser = "sgd"
    weight_decay: float = 5e-4
    similarity: Literal["cauchy", "cosine"] = "cauchy"
    temperature: float = 0.5
    distillation: Distillation | None = None

    def loss(self, outputs: Tensor) -> Tensor:
        """Loss of the outputs of a batch, (2 b, d): first views of all patches, then second."""
        if self.similarity == "cosine":
            return nt_xent(outputs, self.temperature)
        return cauchy_infonce(outputs)

    def learning_rate(self, done: float) -> float:
        """Learning rate when the share ``done`` (0 to 1, excluded) of the stage lies behind.

        Linear warm-up that starts above zero, then half a cosine down to zero,
        step by step. (In the reference code the whole first epoch runs at a rate
        of exactly zero.)
        """
        if done < self.warmup:
            return self.lr * (0.05 + 0.95 * done / self.warmup)
        rest = (done - self.warmup) / (1 - self.warmup)
        return self.lr * 0.5 * (1 + math.cos(math.pi * min(1.0, rest)))

    def augmentation_strength(self, done: float) -> float:
        """Strength of the augmentations when the share ``done`` of the stage lies behind.

        It moves in steps of a twentieth.
        """
        first, last = self.strength
        return round(20 * (first + (last - first) * done)) / 20

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)
