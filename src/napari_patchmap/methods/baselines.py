"""Maps without any training: t-SNE of pixels, and of features that came trained.

The baselines of Nwabufo et al., "Self-supervised Visualisation of Medical Image
Datasets": raw pixels in [0, 1] (of large patches the first 100 principal components),
or the features of an ImageNet-trained ResNet (shorter side to 256 px, centre of 224 x
224 px, ImageNet's mean and deviation), laid out by openTSNE with its defaults.
"""

from __future__ import annotations

from typing import Literal

from napari_patchmap.methods.recipe import Recipe

#: Nothing is trained.
STAGE_NAMES: tuple[str, ...] = ()

#: What makes the map, see :class:`Recipe`.
LAYOUT: Literal["tsne"] = "tsne"

#: Patches that go through the network at once.
BATCH_SIZES = {"compact": 256, "paper": 256}


def recipe(
    backbone: str,
    epochs: tuple[float, ...],
    batch_size: int,
    dimensions: int = 2,
    temperature: float | None = None,
) -> Recipe:
    """Return the recipe: no stages, no projector, t-SNE of the features."""
    return Recipe(
        stages=(),
        hidden=(),
        norm=False,
        start="random",
        average_symmetries=False,
        recalibrate=False,
        layout=LAYOUT,
    )


def preset_epochs(preset: str, backbone: str, patches: int) -> tuple[float, ...]:
    """No epochs, whatever the preset."""
    return ()
