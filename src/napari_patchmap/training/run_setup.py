"""What a run is made with, from its beginning to its end."""

from __future__ import annotations

import math
from dataclasses import dataclass

from napari_patchmap.patches import PatchSet
from napari_patchmap.runs.run_config import RunConfig
from napari_patchmap.training.budget.clock import Clock
from napari_patchmap.training.checkpoints import Checkpoints
from napari_patchmap.training.control import Control
from napari_patchmap.training.cores import Cores
from napari_patchmap.training.distributed.ranks import Ranks
from napari_patchmap.training.plan import Plan
from napari_patchmap.training.reporter import Reporter
from napari_patchmap.training.snapshots import Snapshots

#: Share of a time budget that is kept for what takes longer than expected, the start of
#: the program among it; and the seconds that are kept at least.
_RESERVE, _LEAST_RESERVE = 0.01, 2.0


@dataclass(frozen=True)
class RunSetup:
    """What is trained and how, and who is asked and told meanwhile."""

    patches: PatchSet
    config: RunConfig
    plan: Plan
    reporter: Reporter
    clock: Clock
    control: Control
    checkpoints: Checkpoints
    snapshots: Snapshots
    ranks: Ranks
    cores: Cores

    @property
    def deadline(self) -> float:
        """Seconds after which the map must be there; infinite when epochs are followed."""
        if self.plan.minutes is None:
            return math.inf
        whole, expected = 60 * self.plan.minutes, self.plan.expected
        measuring = expected.after - expected.features
        return whole - max(_RESERVE * whole, _LEAST_RESERVE) - measuring
