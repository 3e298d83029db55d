"""t-SimCNE: a contrastively trained network whose output is the 2-D map.

Böhm, Berens and Kobak, "Unsupervised visualization of image datasets using
contrastive learning", ICLR 2023; Nwabufo et al., "Self-supervised Visualisation
of Medical Image Datasets". Three stages: learn features with a 128-D output;
put a new 2-D output layer in and train it alone; train everything in 2-D.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from napari_patchmap.methods.stage import Stage
from napari_patchmap.networks import Network

#: What each stage does, in the user's words.
STAGE_NAMES = ("learning features", "laying out the map", "refining the map")

#: Outputs of the network in the first stage.
FEATURE_DIMENSIONS = 128

#: Epochs of the three stages by preset. "paper" as published; "standard" is the
#: cheaper schedule that the authors' documentation offers.
EPOCHS = {
    "quick": (30.0, 5.0, 25.0),
    "standard": (400.0, 25.0, 75.0),
    "paper": (1000.0, 50.0, 450.0),
}

#: Patches in a step by preset.
BATCH_SIZES = {"quick": 512, "standard": 1024, "paper": 1024}


@dataclass(frozen=True)
class Recipe:
    """How t-SimCNE is trained with one kind of backbone.

    Parameters
    ----------
    stages : tuple of Stage
    hidden : tuple of int
        Units of the projector's hidden layers.
    norm : bool
        Whether those are batch-normalised.
    start : {"random", "pca"}
        First weights of the 2-D layer: normally distributed, as published, or
        the two main axes of the 128-D outputs.
    average_symmetries : bool
        Whether a patch's place on the map is computed from the mean features of
        its turned and mirrored copies.
    """

    stages: tuple[Stage, ...]
    hidden: tuple[int, ...]
    norm: bool
    start: Literal["random", "pca"]
    average_symmetries: bool


def paper_recipe(epochs: tuple[float, ...], batch_size: int) -> Recipe:
    """Return the published recipe, for ResNets.

    SGD with momentum 0.9 and weight decay 5e-4; rate 0.03 b / 256, in the third
    stage a thousandth of it; warm-up over ten epochs of the first and third
    stage, shortened to a tenth of shorter stages.
    """
    lr = 0.03 * batch_size / 256
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
                batch_size=batch_size,
            )
            for name, count, share, rate, trains, dimensions in zip(
                STAGE_NAMES,
                epochs,
                (0.68, 0.02, 0.30),
                (lr, lr, lr / 1000),
                ("all", "output", "all"),
                (FEATURE_DIMENSIONS, 2, 2),
                strict=True,
            )
        ),
        hidden=(1024,),
        norm=False,
        start="random",
        average_symmetries=False,
    )


def compact_recipe(epochs: tuple[float, ...], batch_size: int) -> Recipe:
    """Return the recipe for the compact backbone, tuned for minutes on two CPU cores."""
    lr = 0.03 * batch_size / 256
    return Recipe(
        stages=tuple(
            Stage(
                name=name,
                epochs=count,
                share=share,
                lr=rate,
                warmup=0.05,
                trains=trains,
                dimensions=dimensions,
                batch_size=batch_size,
            )
            for name, count, share, rate, trains, dimensions in zip(
                STAGE_NAMES,
                epochs,
                (0.55, 0.05, 0.40),
                (lr, lr, lr / 10),
                ("all", "output", "all"),
                (FEATURE_DIMENSIONS, 2, 2),
                strict=True,
            )
        ),
        hidden=(512,),
        norm=False,
        start="pca",
        average_symmetries=True,
    )


def recipe(backbone: str, epochs: tuple[float, ...], batch_size: int) -> Recipe:
    """Return the recipe for a backbone."""
    make = compact_recipe if backbone == "compact" else paper_recipe
    return make(epochs, batch_size)


@torch.no_grad()
def start_map(network: Network, features: Tensor, start: Literal["random", "pca"]) -> None:
    """Replace the output layer of ``network`` by a new two-dimensional one.

    Parameters
    ----------
    network : Network
    features : Tensor of float32, shape (n, d)
        Backbone features of some patches; their outputs set the main axes.
    start : {"random", "pca"}
        See :class:`Recipe`. "random" draws the weights from N(0, 1) and keeps
        the small uniform bias, as published; it uses torch's global generator.
    """
    old = network.output
    if start == "random":
        bound = old.in_features**-0.5
        weight = torch.randn(2, old.in_features)
        bias = torch.empty(2).uniform_(-bound, bound)
    else:
        # On the CPU, since Apple GPUs have no double precision.
        outputs = network.project(features).cpu().double()
        mean = outputs.mean(dim=0)
        axes = principal_axes(outputs - mean)
        weight = (axes @ old.weight.cpu().double()).float()
        bias = (axes @ (old.bias.cpu().double() - mean)).float()
    network.replace_output(weight, bias)


def principal_axes(centred: Tensor) -> Tensor:
    """Two main axes of ``(n, d)`` centred points, shape (2, d), with a fixed sign."""
    _, vectors = torch.linalg.eigh(centred.T @ centred)
    axes = vectors[:, [-1, -2]].T
    largest = axes.gather(1, axes.abs().argmax(dim=1, keepdim=True))
    return axes * largest.sign()
