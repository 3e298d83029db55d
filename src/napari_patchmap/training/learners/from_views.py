"""Learning from two views of each patch, compared with each other and with all others."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from napari_patchmap.augment.both_views import pair_of
from napari_patchmap.methods.objectives import ViewsObjective
from napari_patchmap.methods.stage import Stage
from napari_patchmap.training.budget.estimate import VIEWS, Speed, backbone_seconds
from napari_patchmap.training.budget.speeds import compiling_of
from napari_patchmap.training.feed import Fed
from napari_patchmap.training.fused import Forward, Fuser, MakePair, wants_fusing
from napari_patchmap.training.kept import described
from napari_patchmap.training.learners.base import Learner
from napari_patchmap.training.step import Gradient


class ViewsLearner(Learner):
    """Compares two new views of each patch by the loss of the stage."""

    objective = ViewsObjective
    gradient_kind = Gradient
    shares_batches = True

    #: What was compiled before an interruption; None if there was none.
    _was_fused: set[str] | None = None

    @staticmethod
    def step_seconds(speed: Speed, stage: Stage) -> float:
        """Two views through the network; forward only through what is at rest."""
        if stage.moves_backbone:
            return VIEWS * backbone_seconds(speed, stage)
        return VIEWS * 2 * speed.look + speed.head

    def state(self) -> dict[str, Any]:
        """Return what is compiled, which was found out by the clock."""
        return {
            "fused": self._fused is not None,
            "fused_views": self._pair is not None,
            "device": described(self.context.device),
        }

    def restore(self, state: dict[str, Any] | None) -> None:
        """Decide as before, unless that was for another device."""
        assert state is not None
        if state["device"] == described(self.context.device):
            kept = {"network": state["fused"], "views": state.get("fused_views", False)}
            self._was_fused = {name for name, fused in kept.items() if fused}

    def start(self) -> None:
        """Compile views and network, if this stage trains all of it and it is worth while."""
        self._fused: Forward | None = None
        self._pair: MakePair | None = None
        context, plan, device = self.context, self.context.plan, self.context.device
        spec, before = context.network.spec, self._was_fused
        work = compiling_of(spec, plan.device, plan.batch_size)
        if before is None:
            seconds = plan.times.training(context.number)
            wanted = wants_fusing(plan.config.train.compile, plan.device, seconds, work)
        else:
            wanted = bool(before)
        whole = self.stage.moves_backbone and context.parts == 1 and context.ranks.world == 1
        if not (whole and wanted):
            return
        context.reporter.say("trying faster kernels")
        fuser = Fuser(device, work, before or ())
        shape = (plan.batch_size, spec.channels, *spec.size)
        lot = self.generator.manual_seed(context.seed_at(0))
        patches = torch.randint(
            256, shape, generator=lot, dtype=torch.uint8, device=device.target
        )
        if before is None or "views" in before:
            self._pair = fuser.views(context.maker, patches)
        if before is None or "network" in before:
            views = torch.cat([patches, patches]).float().div_(255)
            views = views.contiguous(memory_format=torch.channels_last)
            self._fused = fuser.network(context.network, views)

    def compute(self, gradient: Gradient, fed: Fed, fraction: float) -> Tensor:
        """Add the gradients of the loss of two new views of each patch."""
        network, (chosen, pixels) = self.context.network, fed
        seed, objective = self.context.seed_at(self.pace.done), self.stage.objective
        assert isinstance(objective, ViewsObjective)
        whole = network.spec.size
        size = self.stage.coarse.view_size(fraction, whole)

        def produce(part: slice) -> Tensor:
            views = self._views(pixels, part, len(chosen), seed, size)
            with self.context.device.autocast():
                # What is compiled is for whole views of a whole batch.
                if self._fused is not None and size == whole and len(views) == 2 * len(pixels):
                    return self._fused(views)
                moves = torch.is_grad_enabled() and self.stage.moves_backbone
                with torch.set_grad_enabled(moves):
                    features = network.features(views)
                return network.project(features)

        return gradient.compute(produce, len(chosen), objective.loss)

    def _views(
        self, pixels: Tensor, part: slice, batch: int, seed: int, size: tuple[int, int]
    ) -> Tensor:
        """Two views of a part of a batch, the first ones first, of the own share's pixels."""
        maker, begin = self.context.maker, self.context.ranks.share(batch).start
        some = pixels[part.start - begin : part.stop - begin]
        self.generator.manual_seed(seed)
        whole = size == self.context.network.spec.size
        if self._pair is not None and whole and len(some) == batch:
            return self._pair(some, self.generator)
        return pair_of(maker, some, self.generator, part=part, batch=batch, size=size)
