"""The recipe of a run, by the settings."""

from __future__ import annotations

from dataclasses import replace

from napari_patchmap.methods.learn_on import learned_on
from napari_patchmap.methods.method import Method
from napari_patchmap.methods.rates import with_optimiser
from napari_patchmap.methods.recipe import Recipe, RecipeKind
from napari_patchmap.methods.train_config import TrainConfig
from napari_patchmap.networks.device import Device


def recipe_of(
    method: Method,
    train: TrainConfig,
    kind: RecipeKind,
    epochs: tuple[float, ...],
    batch_size: int,
    blocks: int,
    most: int,
    rank: int,
) -> Recipe:
    """Return the recipe, with the optimiser that the user chose.

    ``blocks`` are those of a network that came trained and learns on in ``most`` steps, else 0;
    ``rank`` is that of its low-rank adapters, if it has any.
    """
    usual = method.make_recipe(kind, epochs, batch_size, train.dimensions, train.temperature)
    if train.learns_on and blocks:
        usual = learned_on(
            usual,
            train.learns_on,
            blocks,
            train.last_blocks,
            train.layer_decay,
            batch_size,
            most,
            rank,
        )
    stages = with_optimiser(
        usual.stages, train.optimiser, train.learning_rate, train.weight_decay
    )
    return replace(usual, stages=stages)


def usual_backbone(train: TrainConfig, device: Device) -> str:
    """Name the network that is trained where none is chosen."""
    quick = train.preset == "quick" and device.is_cpu
    return "compact" if quick else "resnet18-small-kernel"
