"""What a run is going to do, decided before it starts and told to the person."""

from __future__ import annotations

from dataclasses import dataclass, replace

from napari_patchmap.errors import TrainingError
from napari_patchmap.methods import tsimcne
from napari_patchmap.methods.rates import with_optimiser
from napari_patchmap.patches import PatchSet
from napari_patchmap.runs.config import RunConfig, TrainConfig
from napari_patchmap.training.device import Device, choose_device
from napari_patchmap.training.progress import say_time

#: Fewer patches than this make no map.
MIN_PATCHES = 10


@dataclass(frozen=True)
class Plan:
    """Everything that "decide for me" was replaced by.

    Parameters
    ----------
    device : Device
    backbone : str
    recipe : Recipe
    size : (height, width)
        Training size in pixels.
    batch_size : int
        Patches in a step, never more than there are.
    minutes : float or None
        Time budget for everything; None when epochs are followed.
    patches : int
    """

    device: Device
    backbone: str
    recipe: tsimcne.Recipe
    size: tuple[int, int]
    batch_size: int
    minutes: float | None
    patches: int

    def steps(self, stage: int) -> int:
        """Steps of a stage (from 0) by epochs; at least one, unless it has no epochs."""
        epochs = self.recipe.stages[stage].epochs
        return max(1, round(epochs * self.patches / self.batch_size)) if epochs > 0 else 0

    def lines(self) -> list[str]:
        """Say the plan in short lines."""
        stages = self.recipe.stages
        if self.minutes is not None:
            parts = ", ".join(
                f"{s.name} {say_time(60 * self.minutes * s.share)}" for s in stages
            )
            length = f"{say_time(60 * self.minutes)} in all: {parts}"
        else:
            parts = ", ".join(f"{s.name} {s.epochs:.4g}" for s in stages)
            total = sum(self.steps(i) for i in range(len(stages)))
            length = f"{sum(s.epochs for s in stages):.4g} epochs ({total:,} steps): {parts}"
        height, width = self.size
        learns = next((s for s in stages if s.trains == "all"), stages[0])
        network = f"network {self.backbone}, optimiser {learns.optimiser} at a rate of "
        network += f"{learns.lr:.2g}"
        return [
            length,
            f"{self.patches:,} patches at {width} x {height} px, {network}",
            f"{self.batch_size} patches in a step; {self.device.reason}",
        ]


def make_plan(patches: PatchSet, config: RunConfig) -> Plan:
    """Decide device, network, batch and stages of a run.

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
    device = choose_device(train.device)
    backbone = train.backbone or _usual_backbone(train.preset, device)
    batch_size = min(train.batch_size or _usual_batch(backbone), count)
    epochs = train.epochs or tsimcne.preset_epochs(train.preset, backbone, count)
    if len(epochs) != 3:
        raise TrainingError(
            f"t-SimCNE has three stages and needs three numbers of epochs, not {len(epochs)}."
        )
    minutes = None if train.epochs else train.minutes
    return Plan(
        device=device,
        backbone=backbone,
        recipe=_recipe(train, backbone, epochs, batch_size),
        size=patches.training_size(train.longest_side),
        batch_size=batch_size,
        minutes=minutes,
        patches=count,
    )


def _recipe(
    train: TrainConfig, backbone: str, epochs: tuple[float, ...], batch_size: int
) -> tsimcne.Recipe:
    """Return the backbone's recipe, with the optimiser that the user chose."""
    usual = tsimcne.recipe(backbone, epochs, batch_size)
    stages = with_optimiser(
        usual.stages, train.optimiser, train.learning_rate, train.weight_decay
    )
    return replace(usual, stages=stages)


def _usual_backbone(preset: str, device: Device) -> str:
    if preset == "quick" and device.is_cpu:
        return "compact"
    return "resnet18-small-kernel"


def _usual_batch(backbone: str) -> int:
    return tsimcne.BATCH_SIZES[tsimcne.recipe_name(backbone)]


def describe_plan(patches: PatchSet, config: RunConfig) -> str:
    """Say in a few lines what a run of these patches would do."""
    return "\n".join(make_plan(patches, config).lines())
