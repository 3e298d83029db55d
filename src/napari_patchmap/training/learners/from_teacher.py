"""Learning from a teacher, as DINO does."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from napari_patchmap.training.feed import Fed
from napari_patchmap.training.learners.base import Learner
from napari_patchmap.training.step import Gradient, SummedGradient
from napari_patchmap.training.teacher import Teacher


class StudentLearner(Learner):
    """Lets the network say of each crop what a slow copy of it says of other crops."""

    gradient_kind = SummedGradient
    _teacher: Teacher

    def set_up(self) -> None:
        """Make the teacher from the network as it is."""
        session, settings = self.session, self.stage.distillation
        assert settings is not None
        maker = session.maker
        self._teacher = Teacher(
            session.network,
            settings,
            session.config.augment,
            is_rgb=maker.is_rgb,
            fill=maker.fill,
        )

    def compute(self, gradient: Gradient, fed: Fed, fraction: float) -> Tensor:
        """Add the gradients of the difference between what student and teacher say."""
        session, seed, (_, pixels) = self.session, self.seed(self.pace.done), fed

        def produce(part: slice) -> Tensor:
            if part.start == 0:
                self._teacher.forget_batch()
            session.generator.manual_seed(seed)
            return self._teacher.loss(
                pixels, part, session.generator, self.autocast(), fraction
            )

        return gradient.compute(produce, len(pixels), self.stage.loss)

    def before_step(
        self,
        optimiser: torch.optim.Optimizer,
        scaler: torch.amp.GradScaler | None,
        fraction: float,
    ) -> None:
        """Clip gradients and set what changes from step to step."""
        if scaler is not None:
            scaler.unscale_(optimiser)
        epoch = self.pace.done * self.session.plan.batch_size / self.count
        self._teacher.before_step(optimiser, fraction, epoch)

    def after_step(self, fraction: float) -> None:
        """Let the teacher follow."""
        self._teacher.after_step(fraction)

    def finish(self) -> None:
        """Keep the teacher, whose features are steadier than the student's."""
        self.session.network.load_state_dict(self._teacher.network.state_dict())

    def state(self) -> dict[str, Any]:
        """Return the teacher's state."""
        return self._teacher.state()

    def restore(self, state: dict[str, Any] | None) -> None:
        """Go on with another teacher's state."""
        assert state is not None
        self._teacher.restore(state)
