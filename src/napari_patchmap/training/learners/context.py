"""What a stage, and what its network learns from, may see of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from napari_patchmap.augment import ViewMaker
from napari_patchmap.methods.stage import Stage
from napari_patchmap.networks import Network
from napari_patchmap.networks.device import Device
from napari_patchmap.networks.pixels import Pixels
from napari_patchmap.training.budget.pace import Pace
from napari_patchmap.training.control import Control
from napari_patchmap.training.cores import Cores
from napari_patchmap.training.distributed.ranks import Ranks
from napari_patchmap.training.plan import Plan
from napari_patchmap.training.reporter import Reporter
from napari_patchmap.training.seeds import seed_of


@dataclass(frozen=True)
class Context:
    """One stage of a run, with what there is for it and who may be asked and told.

    Parameters
    ----------
    plan : Plan
        Of the whole run.
    number : int
        Of the stage, from 0.
    network : Network
        It is trained; of all else only the pace and the strength of views change.
    pixels : Pixels
    maker : ViewMaker
    parts : int
        In which a step is computed, to begin with.
    pace : Pace
    clock : callable
        Seconds since the run began.
    ranks : Ranks
        The processes that share each batch.
    control : Control
        Says whether the person wants to stop.
    cores : Cores
    reporter : Reporter
        Told what is being done, and what people should know.
    groups : ndarray of int, shape (n,), optional
        Group of each patch, if batches are to have as many of each.
    rows : Tensor of int64, shape (m,), optional
        Patches that are learned from, on the CPU; None for all.
    """

    plan: Plan
    number: int
    network: Network
    pixels: Pixels
    maker: ViewMaker
    parts: int
    pace: Pace
    clock: Callable[[], float]
    ranks: Ranks
    control: Control
    cores: Cores
    reporter: Reporter
    groups: np.ndarray | None = None
    rows: Tensor | None = None

    @property
    def stage(self) -> Stage:
        """The stage itself."""
        return self.plan.recipe.stages[self.number]

    @property
    def device(self) -> Device:
        """Where it is trained, and in which precision."""
        return self.plan.device

    def seed_at(self, place: int) -> int:
        """Return the seed of what happens at a place of the stage, such as a step."""
        return seed_of(self.plan.config.train.seed, self.number, place)
