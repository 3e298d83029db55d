"""What a run is made with, from its beginning to its end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from napari_patchmap.patches import PatchSet
from napari_patchmap.training.budget.pace import Clock
from napari_patchmap.training.checkpoints import Checkpoints
from napari_patchmap.training.control import Control
from napari_patchmap.training.cores import Cores
from napari_patchmap.training.distributed.ranks import Ranks
from napari_patchmap.training.plan import Plan
from napari_patchmap.training.reporter import Reporter
from napari_patchmap.training.snapshots import Snapshots


@dataclass(frozen=True)
class RunSetup:
    """What is trained, how and in which folder, and who is asked and told meanwhile."""

    patches: PatchSet
    plan: Plan
    folder: Path | None
    reporter: Reporter
    clock: Clock
    control: Control
    checkpoints: Checkpoints
    snapshots: Snapshots
    ranks: Ranks
    cores: Cores
