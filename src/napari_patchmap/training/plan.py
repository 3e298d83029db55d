"""What a run is going to do, as it is told to the person."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from napari_patchmap.augment.views import Symmetry, symmetries
from napari_patchmap.methods.method import Method
from napari_patchmap.methods.recipe import Recipe, RecipeKind
from napari_patchmap.methods.stage import Stage
from napari_patchmap.networks import NetworkSpec
from napari_patchmap.networks.device import Device
from napari_patchmap.networks.fine_tuned import FINE_TUNED
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.own_rows import OwnRows
from napari_patchmap.percent import rounded
from napari_patchmap.runs.run_config import RunConfig
from napari_patchmap.training.budget.timetable import Timetable
from napari_patchmap.training.given_features import own_lines
from napari_patchmap.training.progress import say_time

#: Seconds for which a plan holds.
_HOLDS = 120.0

#: Why it is in doubt how long a run takes.
_BUSY = "as busy as this computer is"
_NEW = "a first guess"


@dataclass(frozen=True)
class Plan:
    """Everything that "decide for me" was replaced by."""

    #: The settings that were followed.
    config: RunConfig
    #: Of the patches, and how many there are.
    name: str
    patches: int
    #: Whether any has a label.
    labelled: bool
    method: Method
    device: Device
    recipe: Recipe
    #: Of that recipe.
    kind: RecipeKind
    #: Patches in a step, never more than there are.
    batch_size: int
    #: The network as it begins.
    spec: NetworkSpec
    #: Whether pixels are read from disk when they are wanted, for want of memory.
    streamed: bool
    #: Parts in which a step is computed, so that it fits in memory.
    parts: int
    #: Longer side at which patches are read, in pixels; None for the usual.
    longest_side: int | None = None
    #: Patches that are held out, to tell whether it helps that a trained network learns on.
    held_out: int = 0
    #: Features of people's own that the map is made of, in place of images.
    own: OwnRows | None = None
    #: Why something was decided, where people may wonder.
    notes: tuple[str, ...] = ()
    #: What its parts are expected to take.
    times: Timetable = field(default_factory=Timetable)
    #: When it was made, by the monotonic clock, and with how many threads.
    made: float = field(default_factory=time.monotonic)
    threads: int = field(default_factory=torch.get_num_threads)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the training size, in pixels."""
        return self.spec.size

    def holds(self, patches: PatchSet, config: RunConfig) -> bool:
        """Whether it is still the plan of these patches, by these settings."""
        size = patches.training_size(self.longest_side)
        same = (self.config, self.name, self.patches, self.labelled) == (
            config, patches.name, len(patches), patches.labels is not None
        )  # fmt: skip
        if self.own is None:
            same = same and (self.spec.channels, self.size) == (patches.channels, size)
        young = time.monotonic() - self.made < _HOLDS
        return same and young and self.threads == torch.get_num_threads()

    @property
    def symmetries(self) -> Sequence[Symmetry]:
        """Orientations over which features are averaged."""
        turns = self.recipe.average_symmetries
        return symmetries(self.config.augment, self.size) if turns else [(0, False)]

    @property
    def seconds(self) -> float:
        """Time that the whole run is expected to take."""
        return self.times.whole.likely

    @property
    def trained_stages(self) -> tuple[Stage, ...]:
        """The stages in which steps are to be made."""
        stages = self.recipe.stages
        if self.times.budget is not None:
            return stages
        return tuple(s for i, s in enumerate(stages) if self.steps(i) > 0)

    def steps(self, stage: int) -> int:
        """Steps of a stage (from 0) by epochs; at least one, unless it has no epochs."""
        epochs = self.recipe.stages[stage].epochs
        return max(1, round(epochs * self.patches / self.batch_size)) if epochs > 0 else 0

    def lines(self) -> list[str]:
        """Say the plan in short lines."""
        stages, budget = self.recipe.stages, self.times.budget
        about = str(self.times.whole)
        if self.times.whole.in_doubt:
            about += f", {_BUSY if self.times.busy else _NEW}"
        height, width = self.size
        patches = f"{self.patches:,} patches at {width} x {height} px"
        if not stages:
            layout = str(self.times.seconds("layout")).removeprefix("about ")
            trained = self.spec.trained
            if self.own is not None:
                about_own = own_lines(self.own, self.config.train)
                return [
                    f"{about}, of them {layout} for t-SNE; nothing is trained",
                    f"{self.patches:,} patches, {about_own[0]}",
                    *about_own[1:],
                    *self.notes,
                ]
            features = [f"features: {self.spec.backbone.replace(':', ' ')}"]
            first, *more = features if trained is None else trained.lines()
            return [
                f"{about}, of them {layout} for t-SNE; nothing is trained",
                f"{patches}, {first}",
                *more,
                self.device.reason,
                *self.notes,
            ]
        if budget is not None:
            parts = ", ".join(f"{s.name} {say_time(budget * s.share)}" for s in stages)
            length = f"{say_time(budget)} in all: {parts}"
        else:
            parts = ", ".join(f"{s.name} {rounded(s.epochs, 4)}" for s in stages)
            total = sum(self.steps(i) for i in range(len(stages)))
            epochs = f"{rounded(sum(s.epochs for s in stages), 4)} epochs ({total:,} steps)"
            about += "," if self.times.whole.in_doubt else ""
            length = f"{about} for {epochs}: {parts}"
        backbone = self.spec.backbone.removeprefix(FINE_TUNED)
        if backbone != self.spec.backbone:
            backbone += " that begins with given weights"
        network, *more = [f"network {backbone}"]
        if self.spec.trained is not None:
            network, *more = self.spec.trained.lines()
            more.append(self._learned_on())
            if self.spec.trained.rank:
                more.append(
                    "the run keeps adapters alone unless all of the network learns; images are "
                    "placed on its map with the network where it is now"
                )
        learns = next((s for s in stages if s.moves_backbone), stages[0])
        optimiser = f"optimiser {learns.optimiser} at a rate of {learns.lr:.2g}"
        return [
            length,
            f"{patches}, {network}, {optimiser}",
            *more,
            f"{self.batch_size} patches in a step; {self.device.reason}",
            *self.notes,
        ]

    def _learned_on(self) -> str:
        """Say how it is told whether it helps that a trained network learns on."""
        stages = [stage for stage in self.recipe.stages if stage.judged]
        undone = any(stage.judged == "decides" for stage in stages)
        said = "goes on learning; after each step" if len(stages) > 1 else "goes on learning;"
        said += f" two views of {self.held_out:,} patches held out are compared, without labels"
        return said + (", and a step that does not help is undone" if undone else "")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: what was planned, to be kept with the run."""
        steps = [self.steps(i) for i in range(len(self.recipe.stages))]
        return {
            "lines": self.lines(),
            "seconds": round(self.seconds, 1),
            "stages": [stage.to_dict() for stage in self.recipe.stages],
            "steps": steps if self.times.budget is None else None,
            "recipe": self.kind,
            "averaged": self.recipe.average_symmetries,
            "held_out": self.held_out,
            "streamed": self.streamed,
            "parts": self.parts,
        }
