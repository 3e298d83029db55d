"""t-SimCNE: a contrastively trained network whose output is the 2-D map.

Böhm, Berens and Kobak, "Unsupervised visualization of image datasets using
contrastive learning", ICLR 2023; Nwabufo et al., "Self-supervised Visualisation
of Medical Image Datasets". Three stages: learn features with a 128-D output;
put a new 2-D output layer in and train it alone; train everything in 2-D.
"""

from __future__ import annotations

from napari_patchmap.methods.method import Method
from napari_patchmap.methods.objectives import NeighboursObjective, ViewsObjective
from napari_patchmap.methods.recipe import Recipe, RecipeRequest
from napari_patchmap.methods.stage import Stage

#: What each stage does, in the user's words.
STAGE_NAMES = ("learning features", "laying out the map", "refining the map")

#: Outputs of the network in the first stage.
FEATURE_DIMENSIONS = 128


def paper_recipe(asked: RecipeRequest) -> Recipe:
    """Return the published recipe, for ResNets.

    SGD with momentum 0.9 and weight decay 5e-4; rate 0.03 b / 256, in the third
    stage a thousandth of it; warm-up over ten epochs of the first and third
    stage, shortened to a tenth of shorter stages.
    """
    lr = 0.03 * asked.scale
    return Recipe(
        stages=tuple(
            Stage(
                name=name,
                epochs=count,
                share=share,
                lr=rate,
                warmup=0.0 if trains == "output" else min(0.1, 10 / max(count, 1.0)),
                trains=trains,
                dimensions=dimensions,
                batch_size=asked.batch_size,
            )
            for name, count, share, rate, trains, dimensions in zip(
                STAGE_NAMES,
                asked.epochs,
                (0.68, 0.02, 0.30),
                (lr, lr, lr / 1000),
                ("all", "output", "all"),
                (FEATURE_DIMENSIONS, asked.dimensions, asked.dimensions),
                strict=True,
            )
        ),
        hidden=(1024,),
    )


def hurried_recipe(asked: RecipeRequest) -> Recipe:
    """Return the recipe for minutes, tuned with the compact backbone on two CPU cores.

    It departs from the paper where minutes are too short for it. With Muon, batch
    normalisation and the cosine similarity of SimCLR the features are good early,
    but 128 outputs then use only a few of their dimensions, and a 2-D layer on top
    of those is a shadow that does not unfold. So the second stage trains a new
    projector on cached features, averaged over the symmetries that the
    augmentations make equally likely. It first learns the t-SNE of these features
    and then the loss, where neighbours in feature space take the place of views;
    Muon learns such a layout several times faster than AdamW does. Views vary less
    in the third stage.
    """
    features, layout, refinement = STAGE_NAMES
    first, second, third = asked.epochs
    size, dimensions = asked.batch_size, asked.dimensions
    return Recipe(
        stages=(
            Stage(
                name=features,
                epochs=first,
                share=0.60,
                lr=0.02 * asked.scale**0.5,
                warmup=0.05,
                trains="all",
                dimensions=FEATURE_DIMENSIONS,
                batch_size=size,
                optimiser="muon",
                weight_decay=0.01,
                objective=ViewsObjective("cosine"),
                coarse=asked.coarse,
            ),
            Stage(
                name=layout,
                epochs=second,
                share=0.34,
                lr=0.03,
                warmup=0.05,
                trains="projector",
                dimensions=dimensions,
                batch_size=size,
                objective=NeighboursObjective(neighbours=15),
                optimiser="muon",
                weight_decay=0.01,
            ),
            Stage(
                name=refinement,
                epochs=third,
                share=0.06,
                lr=1e-5,
                warmup=0.1,
                trains="all",
                dimensions=dimensions,
                batch_size=size,
                strength=(0.2, 0.2),
                optimiser="adamw",
                weight_decay=0.01,
            ),
        ),
        hidden=(1024, 512),
        norm=True,
        start="tsne" if dimensions == 2 else "pca",  # t-SNE lays out in two dimensions
        average_symmetries=True,
        recalibrate=True,
        whitened_start=True,
    )


def recipe(asked: RecipeRequest) -> Recipe:
    """Return the recipe for a backbone; the Cauchy similarity has no temperature."""
    return hurried_recipe(asked) if asked.hurried else paper_recipe(asked)


#: To be cited.
_PAPER = (
    "Böhm J. N., Berens P., Kobak D. Unsupervised visualization of image datasets using "
    "contrastive learning. International Conference on Learning Representations, 2023."
)
_MEDICAL = (
    "Nwabufo I. V., Böhm J. N., Berens P., Kobak D. Self-supervised visualisation of medical "
    "image datasets. 2024."
)

METHOD = Method(
    name="tsimcne",
    title="t-SimCNE",
    help="the network lays the map out, groups are set apart",
    stages=STAGE_NAMES,
    layout="network",
    references=(_PAPER, _MEDICAL),
    recipe=recipe,
    batch_sizes={"compact": 256, "paper": 1024},
    # "paper" as published; "standard" is the cheaper schedule that the authors'
    # documentation offers.
    epochs={"standard": (400.0, 25.0, 75.0), "paper": (1000.0, 50.0, 450.0)},
    # In the second stage of the recipe for minutes many patches cost little.
    quick_patches={
        "compact": (500_000, 400_000, 80_000),
        "quick": (1_200_000, 1_600_000, 150_000),
        "paper": (700_000, 20_000, 280_000),
    },
)
