"""One stage of a run: from its first step, or one in its middle, to its end."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from napari_patchmap.networks.norms import plain_norms, synchronise_norms
from napari_patchmap.training.feed import BalancedBatches, Batches, Fed, SomeBatches
from napari_patchmap.training.learners import Context, learner_of
from napari_patchmap.training.new_network import features_of_some, start_map
from napari_patchmap.training.optimisers import make_optimiser
from napari_patchmap.training.seeds import ORDER, START


class StepMade(NamedTuple):
    """What a step came to; the loss stays on the device, so that nobody waits for it."""

    loss: Tensor
    lr: float
    patches: int
    seconds: float


class StageRun:
    """Trains the network of a run through one stage."""

    def __init__(self, context: Context) -> None:
        self._context, self._stage, self._pace = context, context.stage, context.pace
        self._learner = learner_of(context.stage)(context)

    # -- before the first step ---------------------------------------------------------

    def prepare(self, inside: dict[str, Any] | None, folder: Path | None) -> bool:
        """Get ready for the first step, or for the one at which a run was interrupted.

        Of a run that is resumed inside of the stage, ``inside`` is what :meth:`state`
        returned, and ``folder`` is where the run lies. Returns False if the person stopped
        the run meanwhile.
        """
        if inside is not None:
            assert folder is not None
            self._learner.read(folder)
        elif not self._learner.prepare():
            return False
        elif self._stage.dimensions != self._context.network.spec.out_dim:
            self._start_map()
        self._make_ready(inside)
        return True

    @property
    def held(self) -> dict[str, Tensor] | None:
        """What was made for the steps, to be kept beside the checkpoints of the stage."""
        return self._learner.held

    @torch.no_grad()
    def _start_map(self) -> None:
        """Put the output of a map in, in place of that of the features."""
        context, stage, network = self._context, self._stage, self._context.network
        torch.manual_seed(context.seed_at(START))
        if stage.trains == "projector":
            network.renew_projector(stage.dimensions)
        else:
            features = features_of_some(network, context.pixels, context.device.half)
            start_map(network, features, context.plan.recipe.start, stage.dimensions)
        context.ranks.broadcast(network)

    def _make_ready(self, inside: dict[str, Any] | None) -> None:
        context, learner, network = self._context, self._learner, self._context.network
        self._optimiser = make_optimiser(self._stage, network)
        kind, scales = context.device.target.type, context.device.scales_loss
        self._scaler = torch.amp.GradScaler(kind, enabled=scales)
        learner.set_up()
        if inside is not None:
            learner.restore(inside["learner"])
        self._gradient = learner.gradient_kind(
            network,
            context.ranks,
            parts=context.parts,
            note=context.reporter.note,
            scaler=self._scaler,
        )
        self._batches = self._batches_of(learner.count)
        if context.ranks.world > 1:
            synchronise_norms(network)
        network.train()
        learner.start()
        if inside is not None:
            self._restore(inside)

    def _batches_of(self, count: int) -> Batches:
        context = self._context
        size, seed = context.plan.batch_size, context.seed_at(ORDER)
        rows, cached = context.rows, self._learner.caches_features
        if rows is not None and not cached:
            count = len(rows)
        if context.groups is None or cached:  # drawn in another order
            batches = Batches(count, size, seed)
        else:
            groups = context.groups if rows is None else context.groups[rows.numpy()]
            groups = np.unique(groups, return_inverse=True)[1]  # of some all may be held out
            batches = BalancedBatches(groups, size, seed)
        return batches if rows is None or cached else SomeBatches(batches, rows)

    # -- interruptions -----------------------------------------------------------------

    @property
    def parts(self) -> int:
        """Parts in which a step is computed now; more when memory became short."""
        return self._gradient.parts

    def state(self) -> dict[str, Any]:
        """Return what a later process needs to go on inside of this stage."""
        return {
            "pace": self._pace.state(),
            "optimiser": self._optimiser.state_dict(),
            "scaler": self._scaler.state_dict() or None,
            "learner": self._learner.state(),
        }

    def _restore(self, state: dict[str, Any]) -> None:
        self._optimiser.load_state_dict(state["optimiser"])
        if state["scaler"] is not None:
            self._scaler.load_state_dict(state["scaler"])
        self._pace.restore(state["pace"])
        self._batches.skip(self._pace.done)

    # -- the steps ---------------------------------------------------------------------

    def steps(self) -> Generator[StepMade]:
        """Make all steps that are left, unless the person stops the run."""
        context = self._context
        with self._learner.stream(self._batches) as stream:
            while not (
                context.ranks.agree(self._pace.finished) or context.control.asked_to_stop()
            ):
                yield self._step(next(stream))

    def _step(self, fed: Fed) -> StepMade:
        began = time.perf_counter()
        context, learner = self._context, self._learner
        fraction = context.ranks.broadcast_number(self._pace.fraction)
        lr = self._stage.learning_rate(fraction)
        for group in self._optimiser.param_groups:
            group["lr"] = lr * group.get("scale", 1.0)
        context.maker.strength = self._stage.augmentation_strength(fraction)
        self._optimiser.zero_grad(set_to_none=True)
        loss = learner.compute(self._gradient, fed, fraction)
        learner.before_step(self._optimiser, self._scaler, fraction)
        self._scaler.step(self._optimiser)
        self._scaler.update()
        learner.after_step(fraction)
        self._pace.advance()
        return StepMade(loss, lr, self._batches.batch_size, time.perf_counter() - began)

    def finish(self) -> None:
        """Leave the network as the next stage wants it."""
        plain_norms(self._context.network)
        self._learner.finish()
