"""What a stage, and what its network learns from, may see of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from napari_patchmap.augment import ViewMaker
from napari_patchmap.augment.views import Symmetry
from napari_patchmap.methods.stage import Stage
from napari_patchmap.networks import Network
from napari_patchmap.networks.device import Device
from napari_patchmap.networks.pixels import Pixels
from napari_patchmap.training.budget.pace import Pace
from napari_patchmap.training.control import Control
from napari_patchmap.training.cores import Cores
from napari_patchmap.training.distributed.ranks import Ranks
from napari_patchmap.training.seeds import seed_of


@dataclass(frozen=True)
class Context:
    """One stage of a run, with what there is for it and who may be asked and told.

    Parameters
    ----------
    stage : Stage
    number : int
        Of the stage, from 0.
    start : {"random", "pca", "tsne"}
        First layout of a map, see :class:`napari_patchmap.methods.recipe.Recipe`.
    network : Network
        It is trained; of all else only the pace and the strength of views change.
    pixels : Pixels
    maker : ViewMaker
    symmetries : sequence of (quarter turns, mirrored)
        Over which features are averaged.
    device : Device
    ranks : Ranks
        The processes that share each batch.
    seed : int
        Of the run.
    batch_size : int
    parts : int
        In which a step is computed, to begin with.
    fuses : bool
        Whether it is worth while to compile the network.
    pace : Pace
    first_layout : float
        Seconds that a t-SNE before the first step is expected to take.
    clock : callable
        Seconds since the run began.
    control : Control
        Says whether the person wants to stop.
    cores : Cores
    say, note : callable
        Told what is being done, and what people should know, in a sentence.
    preparing : callable
        Told which part of what comes before the first step is done, that in words, and
        which share of it is over.
    """

    stage: Stage
    number: int
    start: Literal["random", "pca", "tsne"]
    network: Network
    pixels: Pixels
    maker: ViewMaker
    symmetries: Sequence[Symmetry]
    device: Device
    ranks: Ranks
    seed: int
    batch_size: int
    parts: int
    fuses: bool
    pace: Pace
    first_layout: float
    clock: Callable[[], float]
    control: Control
    cores: Cores
    say: Callable[[str], None]
    note: Callable[[str], None]
    preparing: Callable[[Literal["before", "first layout"], str, float], None]

    def seed_at(self, place: int) -> int:
        """Return the seed of what happens at a place of the stage, such as a step."""
        return seed_of(self.seed, self.number, place)

    def autocast(self) -> torch.autocast:
        """Precision in which the network computes."""
        half = self.device.half
        return torch.autocast(self.device.target.type, dtype=half, enabled=half is not None)
