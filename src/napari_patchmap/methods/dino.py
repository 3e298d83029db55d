"""DINO: a student learns what a slowly changing teacher sees in other crops; t-SNE maps it.

Caron, Touvron, Misra, Jégou, Mairal, Bojanowski and Joulin, "Emerging properties in
self-supervised vision transformers", ICCV 2021; for medical images as in Nielsen et
al., "Self-supervision for medical image classification", 2024.
"""

from __future__ import annotations

from napari_patchmap.methods.distillation import Distillation
from napari_patchmap.methods.method import Method
from napari_patchmap.methods.recipe import Recipe, RecipeKind, RecipeRequest
from napari_patchmap.methods.stage import Stage

#: What the stage does, in the user's words.
STAGE_NAMES = ("learning features",)

#: Prototypes, and units of the head's hidden layers, by kind of recipe.
_PROTOTYPES: dict[RecipeKind, int] = {"compact": 64, "paper": 65_536}
_HIDDEN: dict[RecipeKind, tuple[int, ...]] = {
    "compact": (512, 512, 128),
    "paper": (2048, 2048, 256),
}


def recipe(asked: RecipeRequest) -> Recipe:
    """Return the recipe for a backbone.

    That of Nielsen et al.; for the compact backbone one that learns within
    minutes: fewer and larger crops, smaller batches, a teacher that moves faster, and
    a head of 64 prototypes with batch normalisation. Without it the averaged features,
    which have a large mean, all lie in nearly one direction, and the student soon says
    the same of every patch. The temperature that may be asked for is the student's.
    """
    compact = asked.kind == "compact"
    kind: RecipeKind = "compact" if compact else "paper"
    (count,) = asked.epochs
    student = asked.temperature or 0.1
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
        lr=(2e-3 if compact else 5e-4) * asked.scale,
        warmup=0.1 if compact else min(0.1, 2 / max(count, 1e-9)),
        trains="all",
        dimensions=_PROTOTYPES[kind],
        batch_size=asked.batch_size,
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
        whitened_start=compact,
    )


#: To be cited.
_PAPER = (
    "Caron M., Touvron H., Misra I., Jégou H., Mairal J., Bojanowski P., Joulin A. Emerging "
    "properties in self-supervised vision transformers. International Conference on Computer "
    "Vision, 2021."
)

METHOD = Method(
    name="dino",
    title="DINO",
    help="as simclr, learning from a slow copy of the network",
    stages=STAGE_NAMES,
    references=(_PAPER,),
    recipe=recipe,
    head="prototypes",
    batch_sizes={"compact": 128, "paper": 256},
    # "paper" that of Nielsen et al.
    epochs={"standard": (100.0,), "paper": (500.0,)},
    quick_patches={"compact": (200_000,), "paper": (300_000,)},
)
