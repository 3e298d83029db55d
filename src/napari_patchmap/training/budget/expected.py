"""Seconds that a run is going to take, part by part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from napari_patchmap.methods.recipe import Recipe
from napari_patchmap.training.budget.estimate import TSNE_SECONDS, Speed
from napari_patchmap.training.learners import learner_of

#: How many times as long as in an earlier run steps may take to be expected so again.
_ALIKE = 1.5

#: Where repetitions differ by less than this they say the same.
_VARIES = 1.6


@dataclass(frozen=True)
class Expected:
    """Seconds that the parts of a run take, from a few steps on this machine.

    Parameters
    ----------
    before : tuple of float
        Before the first step of each stage.
    step : tuple of float
        A step of each stage.
    settling : tuple of float
        The network's statistics after each stage.
    layout : float
        t-SNE of the features, if that makes the map.
    after : float
        Features of all patches, measuring the map, writing the run.
    features : float
        Of that, the features.
    doubt : (float, float)
        Between how many times as long all of it may take: below 1 where this computer
        was faster the last time, below and above where what was measured varied.
    """

    before: tuple[float, ...]
    step: tuple[float, ...]
    settling: tuple[float, ...]
    layout: float
    after: float
    features: float
    doubt: tuple[float, float] = (1.0, 1.0)

    @classmethod
    def of(
        cls,
        recipe: Recipe,
        speed: Speed,
        updates: Sequence[float],
        *,
        patches: int,
        share: int,
        turned: int,
        tsne: float,
        known: Sequence[float | None] = (),
    ) -> Expected:
        """Put together what was measured.

        Parameters
        ----------
        recipe : Recipe
        speed : Speed
        updates : sequence of float
            Seconds of the optimiser in a step of each stage.
        patches : int
        share : int
            Patches of a batch that this process computes, at most.
        turned : int
            Symmetries over which features are averaged.
        tsne : float
            Length of the t-SNE that makes the map, see ``Tsne.length``; 0 if none does.
        known : sequence of float or None
            Seconds that a step of each stage took in an earlier run, where that is known.
        """
        stages = recipe.stages
        step, low = [], 1.0
        for number, (stage, update) in enumerate(zip(stages, updates, strict=True)):
            measured = share * learner_of(stage).step_seconds(speed, stage) + update
            before = known[number] if number < len(known) else None
            if before is not None and measured < _ALIKE * before:
                measured = before  # a whole run tells more than some steps
            elif before is not None and stage.trains == "all":
                low = min(low, before / measured)  # other programs work now
            step.append(measured)
        high = speed.doubt if speed.doubt > _VARIES else 1.0
        return cls(
            before=tuple(
                learner_of(stage).preparation_seconds(
                    speed, patches, turned, tsne=recipe.start == "tsne"
                )
                for stage in stages
            ),
            step=tuple(step),
            settling=tuple(
                speed.settling(patches, turned) if recipe.settles_after(number) else 0.0
                for number in range(len(stages))
            ),
            layout=TSNE_SECONDS * patches * tsne,
            after=speed.after(patches, turned),
            features=speed.features(patches, turned),
            # What was measured slow now and fast then may be all slow, or all fast.
            doubt=(min(low, 1 / high), high),
        )

    @property
    def around(self) -> float:
        """All but the steps."""
        return sum(self.before) + sum(self.settling) + self.layout + self.after
