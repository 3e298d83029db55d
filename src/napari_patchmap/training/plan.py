"""What a run is going to do, decided before it starts and told to the person."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from napari_patchmap.augment import AugmentConfig
from napari_patchmap.augment.views import Symmetry, symmetries
from napari_patchmap.errors import TrainingError
from napari_patchmap.methods.catalog import make_recipe, preset_epochs, usual_batch
from napari_patchmap.methods.rates import with_optimiser
from napari_patchmap.methods.recipe import Recipe, kind_of
from napari_patchmap.methods.simclr import HISTOLOGY_BATCH, HISTOLOGY_TEMPERATURE
from napari_patchmap.methods.stage import Stage
from napari_patchmap.methods.train_config import TrainConfig
from napari_patchmap.networks import NetworkSpec
from napari_patchmap.networks.device import Device, choose_device, free_memory
from napari_patchmap.networks.fine_tuned import FINE_TUNED
from napari_patchmap.networks.fixed import PIXELS, PRETRAINED
from napari_patchmap.networks.out_of_memory import free_cached_memory, is_out_of_memory
from napari_patchmap.patches import PatchSet
from napari_patchmap.runs.run_config import RunConfig
from napari_patchmap.training.budget.amount import few_patches, too_short
from napari_patchmap.training.budget.estimate import measure
from napari_patchmap.training.budget.timetable import Timetable, timetable
from napari_patchmap.training.cores import Cores
from napari_patchmap.training.distributed.ranks import Ranks
from napari_patchmap.training.kept import Kept
from napari_patchmap.training.progress import say_time

#: Fewer patches than this make no map.
MIN_PATCHES = 10

#: Features are averaged over symmetries if all but the steps then takes up to this share of
#: the time that is given.
MOST_AROUND = 0.75

#: Seconds for which a plan holds.
_HOLDS = 120.0

#: Why it is in doubt how long a run takes.
_BUSY = "as busy as this computer is"
_NEW = "since this computer has made no such map yet"

#: Pixels are kept on the device if they take up to this share of its free memory.
_PIXEL_SHARE = 0.4


@dataclass(frozen=True)
class Plan:
    """Everything that "decide for me" was replaced by.

    Parameters
    ----------
    config : RunConfig
        The settings that were followed.
    name : str
        Of the patches.
    patches : int
    labelled : bool
        Whether any has a label.
    device : Device
    recipe : Recipe
    batch_size : int
        Patches in a step, never more than there are.
    spec : NetworkSpec
        The network as it begins.
    streamed : bool
        Whether pixels are read from disk when they are wanted, since they would
        not fit in the device's memory.
    parts : int
        Parts in which a step is computed, so that it fits in memory.
    notes : tuple of str
        Why something was decided, where people may wonder.
    times : Timetable
        What its parts are expected to take.
    made : float
        When, by the monotonic clock of this computer.
    threads : int
        With which it was measured.
    """

    config: RunConfig
    name: str
    patches: int
    labelled: bool
    device: Device
    recipe: Recipe
    batch_size: int
    spec: NetworkSpec
    streamed: bool
    parts: int
    notes: tuple[str, ...] = ()
    times: Timetable = field(default_factory=Timetable)
    made: float = field(default_factory=time.monotonic)
    threads: int = field(default_factory=torch.get_num_threads)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the training size, in pixels."""
        return self.spec.size

    def holds(self, patches: PatchSet, config: RunConfig) -> bool:
        """Whether it is still the plan of these patches, by these settings."""
        same = (self.config, self.name, self.patches) == (config, patches.name, len(patches))
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

    def stage_seconds(self, stage: int) -> float:
        """Time that the steps of a stage (from 0) are expected to take."""
        return self.times.training(stage)

    @property
    def trained_stages(self) -> tuple[Stage, ...]:
        """The stages in which steps are to be made."""
        stages = self.recipe.stages
        if self.times.budget is not None:
            return stages
        return tuple(s for i, s in enumerate(stages) if self.steps(i) > 0)

    def _about(self) -> str:
        """Say how long the run takes; where that is in doubt, between what and what."""
        whole = self.times.whole
        if not whole.in_doubt:
            return str(whole)
        why = _BUSY if self.times.busy else _NEW
        return f"{whole}, {why},"

    def steps(self, stage: int) -> int:
        """Steps of a stage (from 0) by epochs; at least one, unless it has no epochs."""
        epochs = self.recipe.stages[stage].epochs
        return max(1, round(epochs * self.patches / self.batch_size)) if epochs > 0 else 0

    def lines(self) -> list[str]:
        """Say the plan in short lines."""
        stages, budget = self.recipe.stages, self.times.budget
        if budget is not None:
            parts = ", ".join(f"{s.name} {say_time(budget * s.share)}" for s in stages)
            length = f"{say_time(budget)} in all: {parts}"
        else:
            parts = ", ".join(f"{s.name} {s.epochs:.4g}" for s in stages)
            total = sum(self.steps(i) for i in range(len(stages)))
            epochs = f"{sum(s.epochs for s in stages):.4g} epochs ({total:,} steps)"
            length = f"{self._about()} for {epochs}: {parts}"
        height, width = self.size
        patches = f"{self.patches:,} patches at {width} x {height} px"
        backbone = self.spec.backbone.removeprefix(FINE_TUNED)
        if backbone != self.spec.backbone:
            backbone += " that begins with given weights"
        if not stages:
            layout = str(self.times.seconds("layout")).removeprefix("about ")
            whole = self._about().removesuffix(",")
            return [
                f"{whole}, of them {layout} for t-SNE; nothing is trained",
                f"{patches}, features: {self.spec.backbone.replace(':', ' ')}",
                self.device.reason,
                *self.notes,
            ]
        learns = next((s for s in stages if s.trains == "all"), stages[0])
        network = f"network {backbone}, optimiser {learns.optimiser} at a rate of "
        network += f"{learns.lr:.2g}"
        return [
            length,
            f"{patches}, {network}",
            f"{self.batch_size} patches in a step; {self.device.reason}",
            *self.notes,
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: what was planned, to be kept with the run."""
        return {
            "lines": self.lines(),
            "seconds": round(self.seconds, 1),
            "stages": [stage.to_dict() for stage in self.recipe.stages],
            "steps": None
            if self.times.budget is not None
            else [self.steps(i) for i in range(len(self.recipe.stages))],
            "averaged": self.recipe.average_symmetries,
            "streamed": self.streamed,
            "parts": self.parts,
        }


def make_plan(
    patches: PatchSet,
    config: RunConfig,
    ranks: Ranks | None = None,
    kept: Kept | None = None,
) -> Plan:
    """Decide device, network, batch and stages of a run.

    Parameters
    ----------
    patches : PatchSet
    config : RunConfig
    ranks : Ranks, optional
        The processes that share each batch.
    kept : Kept, optional
        What a run that is resumed had decided before.

    Raises
    ------
    TrainingError
        If these patches cannot be mapped, or the device is not there.
    """
    count = len(patches)
    if count < MIN_PATCHES:
        have = "there is only one" if count == 1 else f"there are {count}"
        raise TrainingError(
            f"A map needs at least {MIN_PATCHES} patches, and {have} in {patches.name}; "
            "load more images."
        )
    if patches.all_identical():
        raise TrainingError(
            f"All {count:,} patches of {patches.name} are identical, so there is nothing to "
            "map; check that the right images were loaded."
        )
    train = config.train
    ranks = ranks or Ranks()
    device = choose_device(ranks.device if ranks.world > 1 else train.device, train.precision)
    backbone = _backbone(train, device) if kept is None else kept.backbone
    if backbone == PIXELS:
        device = replace(device, half=None)  # nothing is computed with them
    train, noted = _for_histology(train, config.augment, backbone)
    batch_size = min(train.batch_size or usual_batch(train.method, backbone), count)
    if kept is not None:
        batch_size = kept.batch_size
    epochs = train.epochs or preset_epochs(train.method, train.preset, backbone, count)
    if train.method == "dino" and ranks.world > 1:
        raise TrainingError(
            "DINO trains in one process only; start patchmap without torchrun, or choose "
            "simclr."
        )
    recipe = _recipe(train, backbone, epochs, batch_size)
    spec = NetworkSpec(
        backbone=backbone,
        channels=patches.channels,
        size=patches.training_size(train.longest_side),
        hidden=recipe.hidden,
        norm=recipe.norm,
        out_dim=recipe.stages[0].dimensions if recipe.stages else 0,
        head=recipe.head,
    )
    share = ranks.largest_share(batch_size)
    with _trying(device):
        measured = measure(recipe, spec, device, batch_size, share)
    free = free_memory(device.target)
    parts = -int(ranks.least(-_parts(measured.memory, share, free)))
    parts = parts if kept is None else max(parts, kept.parts)
    streamed, notes = _streamed(train.pixels, count, spec, free)
    plan = Plan(
        config=config,
        name=patches.name,
        patches=count,
        labelled=patches.labels is not None,
        device=device,
        recipe=recipe,
        batch_size=batch_size,
        spec=spec,
        streamed=streamed,
        parts=parts,
    )
    plan = replace(plan, times=timetable(plan, measured))
    turned = len(plan.symmetries)
    if turned > 1 and _as_they_lie(plan.times, ranks, kept):
        plan = replace(plan, recipe=replace(recipe, average_symmetries=False))
        plan = replace(plan, times=timetable(plan, measured))
        sentence = (
            "So that time is left to learn, each patch is looked at as it lies, not in its "
            f"{turned} orientations."
        )
        noted = (*noted, sentence)
    notes = (*noted, *notes)
    if parts > 1:
        sentence = (
            f"Each step is computed in {parts} parts to fit in memory; every patch is still "
            "compared with the whole batch."
        )
        notes = (*notes, sentence)
    notes = (few_patches(count), *notes, too_short(plan))
    return replace(plan, notes=tuple(note for note in notes if note))


def _as_they_lie(times: Timetable, ranks: Ranks, kept: Kept | None) -> bool:
    """Whether looking at each patch in all its orientations would leave no time to learn."""
    if kept is not None and kept.averaged is not None:
        return not kept.averaged
    if times.budget is None:
        return False
    return not ranks.least(int(times.around.low <= MOST_AROUND * times.budget))


def _for_histology(
    train: TrainConfig, augment: AugmentConfig, backbone: str
) -> tuple[TrainConfig, tuple[str, ...]]:
    """Let SimCLR with the histology augmentations be that of Ciga et al. 2022 (section d).

    What was set by hand stays; the compact network keeps its own optimiser.
    """
    if train.method != "simclr" or not augment.is_for_histology:
        return train, ()
    chosen = train.replace(
        temperature=train.temperature or HISTOLOGY_TEMPERATURE,
        batch_size=train.batch_size or HISTOLOGY_BATCH,
    )
    if kind_of(backbone) == "paper":
        chosen = chosen.replace(optimiser=train.optimiser or "lars")
    if chosen == train:
        return train, ()
    return chosen, ("Batch, temperature and optimiser are those published for histology.",)


def _recipe(
    train: TrainConfig, backbone: str, epochs: tuple[float, ...], batch_size: int
) -> Recipe:
    """Return the backbone's recipe, with the optimiser that the user chose."""
    usual = make_recipe(
        train.method, backbone, epochs, batch_size, train.dimensions, train.temperature
    )
    stages = with_optimiser(
        usual.stages, train.optimiser, train.learning_rate, train.weight_decay
    )
    return replace(usual, stages=stages)


@contextmanager
def _trying(device: Device) -> Iterator[None]:
    """Say what is to be done if a network does not fit; give back what trying it took."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(
            f"There is not enough free memory for this network ({device.reason}); close other "
            "programs that use it, or choose a smaller backbone or another device under More."
        ) from None
    finally:
        if not device.is_cpu:
            free_cached_memory()


def _parts(patch_bytes: int, batch_size: int, free: int) -> int:
    """Parts in which a step fits in half of the free memory."""
    parts = 1
    while batch_size * patch_bytes / parts > free / 2 and batch_size // (2 * parts) >= 8:
        parts *= 2
    return parts


def _streamed(
    wanted: str, patches: int, spec: NetworkSpec, free: int
) -> tuple[bool, tuple[str, ...]]:
    """Decide whether pixels are read when they are wanted, and say so."""
    whole = patches * spec.channels * spec.size[0] * spec.size[1]
    if wanted != "auto":
        return wanted == "stream", ()
    if whole <= _PIXEL_SHARE * free:
        return False, ()
    sentence = (
        f"The pixels take {whole / 1e9:.1f} GB, too much for the {free / 1e9:.1f} GB of free "
        "memory; they are read from disk while training."
    )
    return True, (sentence,)


def _backbone(train: TrainConfig, device: Device) -> str:
    """Name the network that gives the features."""
    if train.method == "pixels":
        return PIXELS
    if train.method == "pretrained":
        return PRETRAINED + (train.backbone or "resnet18")
    if train.weights is not None:
        return FINE_TUNED + str(train.backbone)
    if train.backbone is None:
        quick = train.preset == "quick" and device.is_cpu
        return "compact" if quick else "resnet18-small-kernel"
    return train.backbone


def plan_alone(patches: PatchSet, config: RunConfig) -> Plan:
    """Make the plan of a run before it is started, with as many threads as it will take."""
    with Cores(choose_device(config.train.device).is_cpu).chosen():
        return make_plan(patches, config)


def describe_plan(patches: PatchSet, config: RunConfig) -> str:
    """Say in a few lines what a run of these patches would do."""
    return "\n".join(plan_alone(patches, config).lines())
