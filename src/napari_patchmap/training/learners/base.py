"""What a stage asks of those who know what its network learns from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from napari_patchmap.methods.objectives import Objective
from napari_patchmap.methods.stage import Stage
from napari_patchmap.training.budget.estimate import Speed
from napari_patchmap.training.feed import Batches, Fed, feed
from napari_patchmap.training.learners.context import Context
from napari_patchmap.training.step import Gradient


class Learner:
    """Gradients of the steps of one stage, and what has to be there for them."""

    #: The objectives that it serves, and no others.
    objective: ClassVar[type[Objective]]

    #: How the gradients of a batch are put together from those of its parts.
    gradient_kind: ClassVar[type[Gradient]]

    #: Whether several processes that share each batch learn what one would; a training in
    #: several processes is refused otherwise.
    shares_batches: ClassVar[bool] = False

    #: Whether features are computed before the first step, and steps do without the
    #: backbone: their speed says nothing of that of others.
    caches_features: ClassVar[bool] = False

    #: Whether a t-SNE of these features may come before the first step.
    lays_out: ClassVar[bool] = False

    def __init__(self, context: Context) -> None:
        self.context, self.stage, self.pace = context, context.stage, context.pace
        self.generator = torch.Generator(context.device.target)

    # -- before a run: how long it takes -------------------------------------------------

    @staticmethod
    def step_seconds(speed: Speed, stage: Stage) -> float:
        """Seconds that a stage takes for one patch in a step, the optimiser apart."""
        raise NotImplementedError

    @staticmethod
    def looks(stage: Stage, patches: int, symmetries: int) -> int:
        """Looks at a patch that come before the first step, of a set of so many patches."""
        return 0

    # -- before the first step ---------------------------------------------------------

    def prepare(self) -> bool:
        """Make what the steps need; return False if the person stopped the run meanwhile."""
        return True

    def read(self, folder: Path) -> None:
        """Read what :meth:`prepare` made, of a run that is resumed inside of the stage."""

    @property
    def held(self) -> dict[str, Tensor] | None:
        """What :meth:`prepare` made, to be kept in the run's folder."""
        return None

    def set_up(self) -> None:
        """Get ready, while the network is as the stage before left it."""

    def start(self) -> None:
        """Get ready for the first step; the network is in training mode."""

    @property
    def count(self) -> int:
        """How many patches there are to draw from."""
        return len(self.context.pixels)

    def stream(self, batches: Batches) -> AbstractContextManager[Iterator[Fed]]:
        """Batches as they are wanted, with the pixels of this process's share."""
        context = self.context
        return feed(batches, context.pixels, context.device.target, context.ranks.share)

    # -- the steps ---------------------------------------------------------------------

    def compute(self, gradient: Gradient, fed: Fed, fraction: float) -> Tensor:
        """Add the gradients of a batch to the network; return its loss, detached.

        Parameters
        ----------
        gradient : Gradient
        fed : (Tensor, Tensor)
            Indices of the batch, and pixels of this process's share of it.
        fraction : float
            Share of the stage that lies behind.
        """
        raise NotImplementedError

    def before_step(
        self,
        optimiser: torch.optim.Optimizer,
        scaler: torch.amp.GradScaler,
        fraction: float,
    ) -> None:
        """Change gradients or settings before the optimiser makes its step."""

    def after_step(self, fraction: float) -> None:
        """Follow the network, once the optimiser has made its step."""

    def finish(self) -> None:
        """Leave the network as the next stage wants it."""

    # -- interruptions -----------------------------------------------------------------

    def state(self) -> dict[str, Any] | None:
        """Return what :meth:`restore` needs, None if that is nothing."""
        return None

    def restore(self, state: dict[str, Any] | None) -> None:
        """Go on where another learner stopped; called between set_up and start."""
