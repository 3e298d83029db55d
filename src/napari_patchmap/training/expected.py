"""Seconds that a run is going to take, part by part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from napari_patchmap.methods.recipe import Recipe
from napari_patchmap.training.estimate import TSNE_SECONDS, Speed


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
    """

    before: tuple[float, ...]
    step: tuple[float, ...]
    settling: tuple[float, ...]
    layout: float
    after: float
    features: float

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
        """
        stages = recipe.stages
        return cls(
            before=tuple(
                speed.before(stage, patches, turned, tsne=recipe.start == "tsne")
                for stage in stages
            ),
            step=tuple(
                share * speed.of_step(stage) + update
                for stage, update in zip(stages, updates, strict=True)
            ),
            settling=tuple(
                speed.settling(patches, turned) if recipe.settles_after(number) else 0.0
                for number in range(len(stages))
            ),
            layout=TSNE_SECONDS * patches * tsne,
            after=speed.after(patches, turned),
            features=speed.features(patches, turned),
        )

    @property
    def around(self) -> float:
        """All but the steps."""
        return sum(self.before) + sum(self.settling) + self.layout + self.after
