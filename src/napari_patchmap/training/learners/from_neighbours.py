"""Learning from cached features: their t-SNE first, then which of them are neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from napari_patchmap.augment.views import Symmetry
from napari_patchmap.layout.first_layout import (
    MOST_LANDMARKS,
    first_tsne,
    standardised,
)
from napari_patchmap.layout.neighbour_search import nearest
from napari_patchmap.methods.objectives import NeighboursObjective
from napari_patchmap.methods.stage import Stage
from napari_patchmap.networks import Network
from napari_patchmap.networks.inference import BATCH, infer
from napari_patchmap.networks.pixels import Pixels
from napari_patchmap.networks.whitening import whitened
from napari_patchmap.training.budget.estimate import Speed
from napari_patchmap.training.budget.layout_time import LayoutTime
from napari_patchmap.training.checkpoints import read_features
from napari_patchmap.training.feed import Batches, Fed, to_device
from napari_patchmap.training.learners.base import Learner
from napari_patchmap.training.seeds import CACHE
from napari_patchmap.training.step import Gradient

#: So much of the time of the stage is kept for its steps: fewer patches are cached and
#: laid out when time is short.
_STEPS_SHARE = 0.35

#: Share of the time of the stage that is left when its t-SNE ends at the latest.
_AFTER_LAYOUT = 0.25

#: Share of the steps in which a new projector learns the layout.
_LAYOUT_SHARE = 0.8


@dataclass(frozen=True)
class FeatureCache:
    """Features (n, d) of patches in random order, and the neighbours (n, k) of each.

    They lie on the device that trains, and are computed once, while the backbone rests.
    """

    features: Tensor
    neighbours: Tensor

    def pairs(self, patches: Tensor, generator: torch.Generator) -> Tensor:
        """Return the patches, then a neighbour of each, shape (2 b,)."""
        count, shape = self.neighbours.shape[1], (len(patches),)
        choice = torch.randint(count, shape, generator=generator, device=generator.device)
        return torch.cat([patches, self.neighbours[patches, choice]])

    def __len__(self) -> int:
        return len(self.features)


def cache_features(
    network: Network,
    pixels: Pixels,
    symmetries: Sequence[Symmetry],
    generator: torch.Generator,
    half: torch.dtype | None,
) -> Iterator[Tensor]:
    """Compute features of at most ``MOST_LANDMARKS`` patches, in random order.

    Yields parts of shape (b, d), to be put together; whoever stops early has those of
    fewer patches. The generator is on the network's device.
    """
    device = generator.device
    order = torch.randperm(len(pixels), generator=generator, device=device)
    for chosen in order[:MOST_LANDMARKS].split(BATCH):
        patches = pixels[chosen.to(pixels.device)]
        features, _ = infer(network, patches, symmetries=symmetries, half=half)
        yield torch.from_numpy(features).to(device)


class NeighboursLearner(Learner):
    """Lets the projector learn from features that are computed once.

    The backbone is at rest. Where the recipe starts from t-SNE, the projector first
    learns the coordinates; then features are compared with those of their neighbours.
    """

    objective = NeighboursObjective
    gradient_kind = Gradient
    shares_batches = True
    caches_features = True
    lays_out = True
    _cache: FeatureCache
    _layout: Tensor

    @staticmethod
    def step_seconds(speed: Speed, stage: Stage) -> float:
        """Two features through the projector."""
        return speed.head

    @staticmethod
    def looks(stage: Stage, patches: int, symmetries: int) -> int:
        """One at each cached patch in each orientation."""
        return symmetries * min(patches, MOST_LANDMARKS)

    def prepare(self) -> bool:
        """Compute features, their neighbours and perhaps their t-SNE."""
        context, pace, plan = self.context, self.pace, self.context.plan
        self.generator.manual_seed(context.seed_at(CACHE))
        whole = pace.seconds_left  # NaN when epochs are followed: then all patches
        first_layout = plan.times.seconds("first layout", context.number).likely
        made, count, most = [], 0, min(len(context.pixels), MOST_LANDMARKS)
        for part in cache_features(
            context.network,
            context.pixels,
            plan.symmetries,
            self.generator,
            plan.device.half,
        ):
            made.append(part)
            count += len(part)
            context.reporter.preparing(
                "before", f"looking at {count:,} of {most:,} patches", count / most
            )
            left = pace.seconds_left - first_layout * count / most
            late = context.ranks.agree(left < _STEPS_SHARE * whole)
            context.cores.look()
            if context.control.asked_to_stop() or late:
                break
        features, target = torch.cat(made), context.device.target
        wanted = self._objective.neighbours
        neighbours = context.ranks.from_main(
            lambda: torch.from_numpy(
                nearest(self._compared(features), wanted, "cosine", device=target)[0]
            )
        )
        self._cache = FeatureCache(features, neighbours.to(target))
        self._layout = torch.empty(0, device=target)
        if plan.recipe.start == "tsne" and not context.control.stopped:
            self._layout = context.ranks.from_main(lambda: self._lay_out(features, whole))
            self._layout = self._layout.to(target)
        stopped = context.control.asked_to_stop()
        context.control.check_leaving()
        return not stopped

    @property
    def _objective(self) -> NeighboursObjective:
        assert isinstance(self.stage.objective, NeighboursObjective)
        return self.stage.objective

    def _compared(self, features: Tensor) -> np.ndarray:
        """Features (n, d) as their cosines are compared."""
        plain, power = features.cpu().numpy(), self.context.plan.config.train.whitens
        return whitened(plain, power) if power else standardised(plain)

    def _lay_out(self, features: Tensor, whole: float) -> Tensor:
        """Coordinates of the cached patches by t-SNE."""
        context, pace = self.context, self.pace
        tsne = first_tsne(context.plan.config.train.seed)
        device = context.device.target
        timed = LayoutTime(
            tsne, len(features), context.clock, device=device, watch=context.control.finishing
        )

        def watch(done: int, _: np.ndarray) -> bool:
            timed.note(done)
            context.reporter.preparing(
                "first layout", "laying out a first map", timed.share(done)
            )
            # Of this process alone: the others wait for the layout.
            stopped = context.control.should_stop() or context.control.leaves
            return stopped or pace.seconds_left < _AFTER_LAYOUT * whole

        def hurry(done: int) -> bool:
            return pace.seconds_left - timed.last() < _AFTER_LAYOUT * whole

        compared, jobs = self._compared(features), torch.get_num_threads()
        coordinates = tsne.lay_out(compared, jobs=jobs, device=device, watch=watch, hurry=hurry)
        timed.keep()
        return torch.from_numpy(coordinates)

    def read(self, folder: Path) -> None:
        """Read features, neighbours and layout of an interrupted run."""
        held, device = read_features(folder), self.context.device.target
        self._cache = FeatureCache(held["features"].to(device), held["neighbours"].to(device))
        self._layout = held["layout"].to(device)

    @property
    def held(self) -> dict[str, Tensor]:
        """Features, neighbours and layout."""
        return {
            "features": self._cache.features,
            "neighbours": self._cache.neighbours,
            "layout": self._layout,
        }

    def start(self) -> None:
        """Let the backbone rest."""
        if self.stage.trains != "all":
            self.context.network.backbone.eval()

    @property
    def count(self) -> int:
        """How many patches are cached."""
        return len(self._cache)

    def stream(self, batches: Batches) -> AbstractContextManager[Iterator[Fed]]:
        """Indices of cached patches; their pixels are not wanted."""
        return nullcontext((chosen, chosen) for chosen in iter(batches.draw, None))

    def compute(self, gradient: Gradient, fed: Fed, fraction: float) -> Tensor:
        """Add the gradients of the distance to the layout, or of the loss of neighbours."""
        context = self.context
        chosen = to_device(fed[0], context.device.target)
        self.generator.manual_seed(context.seed_at(self.pace.done))
        pairs = self._cache.pairs(chosen, self.generator)
        learns_layout = fraction < _LAYOUT_SHARE and len(self._layout) > 0
        targets = self._layout[pairs] if learns_layout else None
        first, second = self._cache.features[pairs].chunk(2)

        def produce(part: slice) -> Tensor:
            with context.device.autocast():
                return context.network.project(torch.cat([first[part], second[part]]))

        def criterion(outputs: Tensor) -> Tensor:
            if targets is None:
                return self._objective.loss(outputs)
            return nn.functional.smooth_l1_loss(outputs, targets)

        return gradient.compute(produce, len(chosen), criterion)
