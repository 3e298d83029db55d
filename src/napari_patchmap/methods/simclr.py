"""SimCLR: features learned by comparing views on the sphere; t-SNE makes the map.

Chen, Kornblith, Norouzi and Hinton, "A simple framework for contrastive learning
of visual representations", ICML 2020; as the baseline of Nwabufo et al.,
"Self-supervised Visualisation of Medical Image Datasets": the network, batch and
schedule of t-SimCNE's first stage with the cosine similarity, and openTSNE of the
features before the projector.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_patchmap.augment import AugmentConfig
from napari_patchmap.methods.method import Method
from napari_patchmap.methods.objectives import ViewsObjective
from napari_patchmap.methods.recipe import Recipe, RecipeKind, RecipeRequest
from napari_patchmap.methods.stage import Stage

#: What the stage does, in the user's words.
STAGE_NAMES = ("learning features",)

#: Outputs of the projector.
_DIMENSIONS = 128

#: Temperature of the similarity.
_TEMPERATURE = 0.5


def recipe(asked: RecipeRequest) -> Recipe:
    """Return the recipe for a backbone."""
    hurried = asked.hurried
    (count,) = asked.epochs
    stage = Stage(
        name=STAGE_NAMES[0],
        epochs=count,
        share=1.0,
        lr=0.02 * asked.scale**0.5 if hurried else 0.03 * asked.scale,
        warmup=0.05 if hurried else min(0.1, 10 / max(count, 1.0)),
        trains="all",
        dimensions=_DIMENSIONS,
        batch_size=asked.batch_size,
        optimiser="muon" if hurried else "sgd",
        weight_decay=0.01 if hurried else 5e-4,
        objective=ViewsObjective("cosine", asked.temperature or _TEMPERATURE),
        coarse=asked.coarse,
    )
    return Recipe(
        stages=(stage,),
        hidden=(1024, 512) if hurried else (1024,),
        norm=hurried,
        average_symmetries=hurried,
        recalibrate=hurried,
        whitened_start=hurried,
    )


def _published(augment: AugmentConfig, kind: RecipeKind) -> tuple[Mapping[str, Any], str]:
    """With the augmentations of Ciga et al. 2022, take the settings of their section d.

    Whatever learns within minutes keeps its own optimiser.
    """
    if not augment.is_for_histology:
        return {}, ""
    settings: dict[str, Any] = {"temperature": 0.1, "batch_size": 512}
    if kind == "paper":
        settings["optimiser"] = "lars"
    return settings, "Batch, temperature and optimiser are those published for histology."


#: To be cited.
_PAPER = (
    "Chen T., Kornblith S., Norouzi M., Hinton G. A simple framework for contrastive learning "
    "of visual representations. International Conference on Machine Learning, 2020."
)

METHOD = Method(
    name="simclr",
    title="SimCLR",
    help="it learns features and t-SNE lays them out, true to neighbours",
    stages=STAGE_NAMES,
    references=(_PAPER,),
    recipe=recipe,
    batch_sizes={"compact": 256, "paper": 1024},
    # "paper" as published; "standard" that of t-SimCNE's cheaper schedule.
    epochs={"standard": (400.0,), "paper": (1000.0,)},
    quick_patches={"compact": (500_000,), "quick": (1_200_000,), "paper": (700_000,)},
    published=_published,
)
