"""What a training stage is, and how its learning rate moves."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from napari_patchmap.methods.coarse import WHOLE, Coarse
from napari_patchmap.methods.objectives import Objective, ViewsObjective

Optimiser = Literal["sgd", "adamw", "lars", "lamb", "muon"]

#: Which weights move; see :class:`Stage`.
MovingWeights = Literal["all", "blocks", "adapters", "head", "output", "projector"]


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
    trains : {"all", "blocks", "adapters", "head", "output", "projector"}
        Which weights move: all; of a network that came trained its last blocks or low-rank
        adapters of its layers, with what adapts its features and the projector, or the latter
        two (the head); those of the new output layer, or those of a new projector.
    dimensions : int
        Outputs of the network in this stage.
    batch_size : int
        Patches in a step.
    strength : (float, float)
        Strength of the augmentations at the beginning and the end of the stage,
        1 for all of it (see :meth:`AugmentConfig.weakened`).
    optimiser : {"sgd", "adamw", "lars", "lamb", "muon"}
    weight_decay : float
    objective : Objective
        What it learns from, and how.
    layer_decay : float
        Of a network that came trained: the rate of each block as a share of the next one's.
    last_blocks : int or None
        How many blocks move where it ``trains`` those.
    coarse : Coarse
        Whether it begins with smaller views, which most is learned from in less time.
    judged : {"", "told", "decides"}
        Whether it is measured without labels how well patches that were held out are told
        apart before and after it; "decides" undoes the stage unless it helped.
    """

    name: str
    epochs: float
    share: float
    lr: float
    warmup: float
    trains: MovingWeights
    dimensions: int
    batch_size: int
    strength: tuple[float, float] = (1.0, 1.0)
    optimiser: Optimiser = "sgd"
    weight_decay: float = 5e-4
    objective: Objective = field(default_factory=ViewsObjective)
    layer_decay: float = 1.0
    last_blocks: int | None = None
    coarse: Coarse = WHOLE
    judged: Literal["", "told", "decides"] = ""

    @property
    def moves_backbone(self) -> bool:
        """Whether weights of the backbone move, so that images go through all of it."""
        return self.moves_weights or self.trains == "adapters"

    @property
    def moves_weights(self) -> bool:
        """Whether they are weights that the backbone came with."""
        return self.trains in ("all", "blocks")

    @property
    def learns_features(self) -> bool:
        """Whether features of patches change, not only where they lie on the map."""
        return self.moves_backbone or self.trains == "head"

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
        values = asdict(self)
        del values["objective"]
        return values | self.objective.to_dict()
