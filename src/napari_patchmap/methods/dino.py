"""DINO: a student learns what a slowly changing teacher sees in other crops; t-SNE maps it.

Caron, Touvron, Misra, Jégou, Mairal, Bojanowski and Joulin, "Emerging properties in
self-supervised vision transformers", ICCV 2021; for medical images as in Nielsen et
al., "Self-supervision for medical image classification", 2024.
"""

from __future__ import annotations

from napari_patchmap.methods.distillation import Distillation
from napari_patchmap.methods.method import Method
from napari_patchmap.methods.recipe import Recipe, kind_of
from napari_patchmap.methods.stage import Stage

#: What the stage does, in the user's words.
STAGE_NAMES = ("learning features",)

#: Prototypes, and units of the head's hidden layers, by kind of recipe.
_PROTOTYPES = {"compact": 64, "paper": 65_536}
_HIDDEN = {"compact": (512, 512, 128), "paper": (2048, 2048, 256)}


def recipe(
    backbone: str,
    epochs: tuple[float, ...],
    batch_size: int,
    dimensions: int = 2,
    temperature: float | None = None,
) -> Recipe:
    """Return the recipe for a backbone.

    That of Nielsen et al.; for the compact backbone one that learns within
    minutes: fewer and larger crops, smaller batches, a teacher that moves faster, and
    a head of 64 prototypes with batch normalisation. Without it the averaged features,
    which have a large mean, all lie in nearly one direction, and the student soon says
    the same of every patch.

    Parameters
    ----------
    backbone : str
    epochs : (float,)
    batch_size : int
    dimensions : int
        Of the map; t-SNE sees to that.
    temperature : float, optional
        Of the student.
    """
    kind = kind_of(backbone)
    compact = kind == "compact"
    (count,) = epochs
    student = 0.1 if temperature is None else temperature
    if compact:
        distillation = Distillation(
            local_crops=2,
            local_size=0.6,
            global_area=(0.4, 1.0),
            local_area=(0.1, 0.4),
            student_temperature=student,
            teacher_temperature=(0.04, 0.04),
            warmup=0.2,
            momentum=(0.96, 1.0),
            decay=(0.04, 0.1),
            frozen_epochs=0.0,
        )
    else:
        distillation = Distillation(
            student_temperature=student, warmup=min(1.0, 10 / max(count, 1e-9))
        )
    stage = Stage(
        name=STAGE_NAMES[0],
        epochs=count,
        share=1.0,
        lr=2e-3 * batch_size / 256 if compact else 5e-4 * batch_size / 256,
        warmup=0.1 if compact else min(0.1, 2 / max(count, 1e-9)),
        trains="all",
        dimensions=_PROTOTYPES[kind],
        batch_size=batch_size,
        optimiser="adamw",
        weight_decay=distillation.decay[0],
        objective=distillation,
    )
    return Recipe(
        stages=(stage,),
        hidden=_HIDDEN[kind],
        norm=compact,
        average_symmetries=compact,
        recalibrate=compact,
    )


METHOD = Method(
    name="dino",
    title="DINO",
    help="as simclr, learning from a slow copy of the network",
    stages=STAGE_NAMES,
    recipe=recipe,
    head="prototypes",
    batch_sizes={"compact": 128, "paper": 256},
    # "paper" that of Nielsen et al.
    epochs={"standard": (100.0,), "paper": (500.0,)},
    quick_patches={"compact": (200_000,), "paper": (300_000,)},
)
