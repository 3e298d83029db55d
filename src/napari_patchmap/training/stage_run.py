"""One stage of a run: from its first step, or one in its middle, to its end."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from napari_patchmap.networks.norms import plain_norms, synchronise_norms
from napari_patchmap.training.batches import Batches
from napari_patchmap.training.budget.pace import Pace
from napari_patchmap.training.feed import Fed
from napari_patchmap.training.learners import learner_of
from napari_patchmap.training.optimisers import make_optimiser
from napari_patchmap.training.seeds import ORDER

if TYPE_CHECKING:
    from napari_patchmap.training.session import Session


class StageRun:
    """Trains the network of a session through one stage.

    Parameters
    ----------
    session : Session
    number : int
        Stage, from 0.
    pace : Pace
    """

    def __init__(self, session: Session, number: int, pace: Pace) -> None:
        self.session, self.pace = session, pace
        self.stage = session.plan.recipe.stages[number]
        self.learner = learner_of(self.stage)(session, number, pace)

    # -- before the first step ---------------------------------------------------------

    def prepare(self, inside: dict[str, Any] | None, folder: Path | None) -> bool:
        """Get ready for the first step, or for the one at which a run was interrupted.

        Parameters
        ----------
        inside : dict or None
            What :meth:`state` returned, of a run that is resumed inside of the stage.
        folder : Path or None
            Where that run is.

        Returns
        -------
        bool
            False if the person stopped the run meanwhile.
        """
        session, stage, learner = self.session, self.stage, self.learner
        if inside is None:
            if not learner.prepare():
                return False
            if stage.dimensions != session.network.spec.out_dim:
                session.start_map(stage)
        else:
            assert folder is not None
            learner.read(folder)
        self._make_ready(inside)
        if inside is not None:
            self._restore(inside)
        elif learner.held is not None:
            session.checkpoints.write(session.state(self.state()), learner.held)
        return True

    def _make_ready(self, inside: dict[str, Any] | None) -> None:
        session, learner, network = self.session, self.learner, self.session.network
        self.optimiser = make_optimiser(self.stage, network)
        scales = session.device.scales_loss
        self.scaler = torch.amp.GradScaler(session.device.target.type) if scales else None
        learner.set_up()
        if inside is not None:
            learner.restore(inside["learner"])
        self.gradient = learner.gradient_kind(
            network,
            session.ranks,
            parts=session.parts,
            note=session.reporter.note,
            scaler=self.scaler,
        )
        size = session.plan.batch_size
        self.batches = Batches(learner.count, size, learner.seed(ORDER))
        if session.ranks.world > 1:
            synchronise_norms(network)
        network.train()
        learner.start()

    # -- interruptions -----------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return what a later process needs to go on inside of this stage."""
        return {
            "pace": self.pace.state(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": None if self.scaler is None else self.scaler.state_dict(),
            "learner": self.learner.state(),
        }

    def _restore(self, state: dict[str, Any]) -> None:
        self.optimiser.load_state_dict(state["optimiser"])
        if self.scaler is not None and state["scaler"] is not None:
            self.scaler.load_state_dict(state["scaler"])
        self.pace.restore(state["pace"])
        self.batches.skip(self.pace.done)

    # -- the steps ---------------------------------------------------------------------

    def train(self) -> None:
        """Make all steps that are left."""
        session, ranks = self.session, self.session.ranks
        with self.learner.stream(self.batches) as stream:
            while not (ranks.agree(self.pace.finished) or session.control.asked_to_stop()):
                began = time.perf_counter()
                self._step(next(stream))
                session.cores.step(time.perf_counter() - began)
                if session.snapshots.due:
                    session.take_snapshot()
                if session.checkpoints.due:
                    session.checkpoints.write(session.state(self.state()))
        if session.control.stopped:
            session.checkpoints.write(session.state(self.state()))
            session.hasten()
        session.reporter.end_stage()
        plain_norms(session.network)
        self.learner.finish()
        if session.plan.recipe.settles_after(session.stage) or session.control.stopped:
            session.recalibrate()

    def _step(self, fed: Fed) -> None:
        session, learner = self.session, self.learner
        fraction = session.ranks.broadcast_number(self.pace.fraction)
        lr = self.stage.learning_rate(fraction)
        for group in self.optimiser.param_groups:
            group["lr"] = lr
        session.maker.strength = self.stage.augmentation_strength(fraction)
        self.optimiser.zero_grad(set_to_none=True)
        loss = learner.compute(self.gradient, fed, fraction)
        session.parts = self.gradient.parts
        session.ranks.sum_gradients(session.network.parameters())
        learner.before_step(self.optimiser, self.scaler, fraction)
        if self.scaler is None:
            self.optimiser.step()
        else:
            self.scaler.step(self.optimiser)
            self.scaler.update()
        learner.after_step(fraction)
        self.pace.advance()
        session.reporter.step(loss, lr, self.pace, self.batches.batch_size)
