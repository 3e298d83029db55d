"""SimCLR: features learned by comparing views on the sphere; t-SNE makes the map.

Chen, Kornblith, Norouzi and Hinton, "A simple framework for contrastive learning
of visual representations", ICML 2020; as the baseline of Nwabufo et al.,
"Self-supervised Visualisation of Medical Image Datasets": the network, batch and
schedule of t-SimCNE's first stage with the cosine similarity, and openTSNE of the
features before the projector.
"""

from __future__ import annotations

from typing import Literal

from napari_patchmap.methods.recipe import Recipe, kind_of
from napari_patchmap.methods.stage import Stage

#: What the stage does, in the user's words.
STAGE_NAMES = ("learning features",)

#: What makes the map, see :class:`Recipe`.
LAYOUT: Literal["tsne"] = "tsne"

#: Outputs of the projector.
DIMENSIONS = 128

#: Temperature of the similarity.
TEMPERATURE = 0.5

#: Temperature and patches in a step of Ciga, Xu and Martel, "Self supervised contrastive
#: learning for digital histopathology", 2022; they train with LARS.
HISTOLOGY_TEMPERATURE, HISTOLOGY_BATCH = 0.1, 512

#: Epochs by preset. "paper" as published; "standard" that of t-SimCNE's cheaper schedule.
EPOCHS = {"standard": (400.0,), "paper": (1000.0,)}

#: "quick" looks at this many patches, however many there are.
QUICK_PATCHES = {"compact": 500_000, "paper": 700_000}

#: Patches in a step by kind of recipe.
BATCH_SIZES = {"compact": 256, "paper": 1024}


def recipe(
    backbone: str,
    epochs: tuple[float, ...],
    batch_size: int,
    dimensions: int = 2,
    temperature: float | None = None,
) -> Recipe:
    """Return the recipe for a backbone.

    Parameters
    ----------
    backbone : str
    epochs : (float,)
    batch_size : int
    dimensions : int
        Of the map; t-SNE sees to that.
    temperature : float, optional
    """
    compact = kind_of(backbone) == "compact"
    (count,) = epochs
    stage = Stage(
        name=STAGE_NAMES[0],
        epochs=count,
        share=1.0,
        lr=0.02 * (batch_size / 256) ** 0.5 if compact else 0.03 * batch_size / 256,
        warmup=0.05 if compact else min(0.1, 10 / max(count, 1.0)),
        trains="all",
        dimensions=DIMENSIONS,
        batch_size=batch_size,
        optimiser="muon" if compact else "sgd",
        weight_decay=0.01 if compact else 5e-4,
        similarity="cosine",
        temperature=TEMPERATURE if temperature is None else temperature,
    )
    return Recipe(
        stages=(stage,),
        hidden=(1024, 512) if compact else (1024,),
        norm=compact,
        start="random",
        average_symmetries=compact,
        recalibrate=compact,
        layout=LAYOUT,
    )


def preset_epochs(preset: str, backbone: str, patches: int) -> tuple[float, ...]:
    """Epochs of a preset, for a set of so many patches."""
    if preset != "quick":
        return EPOCHS[preset]
    return (QUICK_PATCHES[kind_of(backbone)] / patches,)
