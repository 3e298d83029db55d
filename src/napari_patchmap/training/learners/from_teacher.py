"""Learning from a teacher, as DINO does."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from napari_patchmap.methods.distillation import Distillation
from napari_patchmap.methods.stage import Stage
from napari_patchmap.training.budget.estimate import VIEWS, Speed, backbone_seconds
from napari_patchmap.training.feed import Fed
from napari_patchmap.training.learners.base import Learner
from napari_patchmap.training.step import Gradient, SummedGradient
from napari_patchmap.training.teacher import Teacher


class StudentLearner(Learner):
    """Lets the network say of each crop what a slow copy of it says of other crops."""

    objective = Distillation
    gradient_kind = SummedGradient
    _teacher: Teacher

    @staticmethod
    def step_seconds(speed: Speed, stage: Stage) -> float:
        """Two large views and the small ones, and the teacher's look at the large."""
        known = stage.objective
        assert isinstance(known, Distillation)
        views = 2 + known.local_crops * known.local_size**2
        return VIEWS * backbone_seconds(speed, stage) * views / 2 + 2 * speed.look

    def set_up(self) -> None:
        """Make the teacher from the network as it is."""
        settings = self.stage.objective
        assert isinstance(settings, Distillation)
        self._teacher = Teacher(self.context.network, settings, self.context.maker)

    def compute(self, gradient: Gradient, fed: Fed, fraction: float) -> Tensor:
        """Add the gradients of the difference between what student and teacher say."""
        context, (_, pixels) = self.context, fed
        seed = context.seed_at(self.pace.done)

        def produce(part: slice) -> Tensor:
            if part.start == 0:
                self._teacher.forget_batch()
            self.generator.manual_seed(seed)
            autocast = context.device.autocast()
            return self._teacher.loss(pixels, part, self.generator, autocast, fraction)

        return gradient.compute(produce, len(pixels))

    def before_step(
        self,
        optimiser: torch.optim.Optimizer,
        scaler: torch.amp.GradScaler,
        fraction: float,
    ) -> None:
        """Clip gradients and set what changes from step to step."""
        scaler.unscale_(optimiser)
        epoch = self.pace.done * self.context.plan.batch_size / self.count
        self._teacher.before_step(optimiser, fraction, epoch)

    def after_step(self, fraction: float) -> None:
        """Let the teacher follow."""
        self._teacher.after_step(fraction)

    def finish(self) -> None:
        """Keep the teacher, whose features are steadier than the student's."""
        self.context.network.load_state_dict(self._teacher.network.state_dict())

    def state(self) -> dict[str, Any]:
        """Return the teacher's state."""
        return self._teacher.state()

    def restore(self, state: dict[str, Any] | None) -> None:
        """Go on with another teacher's state."""
        assert state is not None
        self._teacher.restore(state)
