"""What a stage asks of those who know what its network learns from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from napari_patchmap.training.batches import Batches
from napari_patchmap.training.budget.pace import Pace
from napari_patchmap.training.feed import Fed, feed
from napari_patchmap.training.seeds import seed_of
from napari_patchmap.training.step import Gradient

if TYPE_CHECKING:
    from napari_patchmap.training.session import Session


class Learner:
    """Gradients of the steps of one stage, and what has to be there for them.

    Parameters
    ----------
    session : Session
    number : int
        Stage, from 0.
    pace : Pace
    """

    #: How the gradients of a batch are put together from those of its parts.
    gradient_kind: type[Gradient] = Gradient

    def __init__(self, session: Session, number: int, pace: Pace) -> None:
        self.session, self.number, self.pace = session, number, pace
        self.stage = session.plan.recipe.stages[number]

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
        return len(self.session.pixels)

    def stream(self, batches: Batches) -> AbstractContextManager[Iterator[Fed]]:
        """Batches as they are wanted."""
        return feed(batches, self.session.pixels, self.session.device.target)

    # -- the steps ---------------------------------------------------------------------

    def compute(self, gradient: Gradient, fed: Fed, fraction: float) -> Tensor:
        """Add the gradients of a batch to the network; return its loss, detached.

        Parameters
        ----------
        gradient : Gradient
        fed : (Tensor, Tensor)
            Indices and pixels of the batch.
        fraction : float
            Share of the stage that lies behind.
        """
        raise NotImplementedError

    def before_step(
        self,
        optimiser: torch.optim.Optimizer,
        scaler: torch.amp.GradScaler | None,
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

    # -- for all of them ---------------------------------------------------------------

    def seed(self, place: int) -> int:
        """Return the seed of what happens at a place of the stage, such as a step."""
        return seed_of(self.session.config.train.seed, self.number, place)

    def autocast(self) -> torch.autocast:
        """Precision in which the network computes."""
        device = self.session.device
        return torch.autocast(
            device.target.type, dtype=device.half, enabled=device.half is not None
        )
