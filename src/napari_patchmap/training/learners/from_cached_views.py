"""Learning from features of views that are computed once, while the network rests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from torch import Tensor

from napari_patchmap.methods.objectives import CachedViewsObjective
from napari_patchmap.methods.stage import Stage
from napari_patchmap.networks.inference import infer
from napari_patchmap.networks.trained.learned_on import LearnedOn
from napari_patchmap.training.budget.estimate import Speed
from napari_patchmap.training.checkpoints import read_features
from napari_patchmap.training.feed import Batches, Fed, to_device
from napari_patchmap.training.learners.base import Learner
from napari_patchmap.training.seeds import CACHE
from napari_patchmap.training.step import Gradient

#: Patches that are cached at most, and of which views are made at once.
_MOST, _PART = 20_000, 32

#: So much of the time of the stage is kept for its steps.
_STEPS_SHARE = 0.4


class CachedViewsLearner(Learner):
    """Lets adapter and projector of a trained network learn from views of each patch.

    The stage is the first one, in which the adapter adds nothing yet, so what is cached is what
    the network itself makes of the views.
    """

    objective = CachedViewsObjective
    gradient_kind = Gradient
    caches_features = True
    #: Features of each view, (views, n, d), on the device that trains.
    _views: Tensor

    @staticmethod
    def step_seconds(speed: Speed, stage: Stage) -> float:
        """Two features through the projector."""
        return speed.head

    @staticmethod
    def looks(stage: Stage, patches: int, symmetries: int) -> int:
        """One at each view of each cached patch."""
        assert isinstance(stage.objective, CachedViewsObjective)
        return stage.objective.views * min(patches, _MOST)

    def prepare(self) -> bool:
        """Compute features of views, of fewer patches when time is short."""
        context, pace = self.context, self.pace
        self.generator.manual_seed(context.seed_at(CACHE))
        whole, made, count = pace.seconds_left, [], 0  # NaN when epochs are followed
        order = torch.randperm(
            self._there, generator=self.generator, device=self.generator.device
        ).cpu()
        rows = order if context.rows is None else context.rows[order]
        most = min(len(rows), _MOST)
        for chosen in rows[:most].split(_PART):
            made.append(self._features(chosen))
            count += len(chosen)
            context.reporter.preparing(
                "before", f"looking at views of {count:,} of {most:,} patches", count / most
            )
            context.cores.look()
            if context.control.asked_to_stop() or pace.seconds_left < _STEPS_SHARE * whole:
                break
        self._views = torch.cat(made, dim=1)
        stopped = context.control.asked_to_stop()
        context.control.check_leaving()
        return not stopped

    @property
    def _there(self) -> int:
        rows = self.context.rows
        return len(self.context.pixels) if rows is None else len(rows)

    @property
    def _objective(self) -> CachedViewsObjective:
        assert isinstance(self.stage.objective, CachedViewsObjective)
        return self.stage.objective

    def _features(self, chosen: Tensor) -> Tensor:
        """Features of all views of some patches, (views, b, d)."""
        context, target = self.context, self.context.device.target
        patches = context.pixels[chosen.to(context.pixels.device)].to(target)
        context.maker.strength = self.stage.augmentation_strength(0.0)
        views = [context.maker(patches, self.generator) for _ in range(self._objective.views)]
        seen = torch.cat(views).mul_(255).round_().byte()
        features, _ = infer(context.network, seen, half=context.device.half)
        return torch.from_numpy(features).to(target).unflatten(0, (len(views), -1))

    def read(self, folder: Path) -> None:
        """Read the features of an interrupted run."""
        self._views = read_features(folder)["views"].to(self.context.device.target)

    @property
    def held(self) -> dict[str, Tensor]:
        """The features of all views."""
        return {"views": self._views}

    @property
    def count(self) -> int:
        """How many patches are cached."""
        return self._views.shape[1]

    def stream(self, batches: Batches) -> AbstractContextManager[Iterator[Fed]]:
        """Indices of cached patches; their pixels are not wanted."""
        return nullcontext((chosen, chosen) for chosen in iter(batches.draw, None))

    def compute(self, gradient: Gradient, fed: Fed, fraction: float) -> Tensor:
        """Add the gradients of the loss of two of the views of each patch."""
        context = self.context
        network, backbone, count = context.network, context.network.backbone, len(self._views)
        assert isinstance(backbone, LearnedOn)
        chosen = to_device(fed[0], context.device.target)
        self.generator.manual_seed(context.seed_at(self.pace.done))
        shape, lot = (len(chosen),), self.generator
        first = torch.randint(count, shape, generator=lot, device=lot.device)
        further = torch.randint(1, count, shape, generator=lot, device=lot.device)
        second = (first + further) % count
        pair = self._views[first, chosen], self._views[second, chosen]

        def produce(part: slice) -> Tensor:
            with context.device.autocast():
                features = backbone.adapter(torch.cat([view[part] for view in pair]))
                if network.spec.makes_map:
                    return network.project(features)
                return network.hidden(features).float()  # prototypes are no places

        return gradient.compute(produce, len(chosen), self._objective.loss)
