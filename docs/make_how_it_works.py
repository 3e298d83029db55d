"""Draw docs/how-it-works.png from the bundled cells and a run of them.

    python docs/make_how_it_works.py RUN

RUN is a run folder of ``patchmap demo``.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from napari_patchmap.augment import AugmentConfig, preview_views
from napari_patchmap.explore.palette import categorical_colours
from napari_patchmap.patches import bundled_cells
from napari_patchmap.runs import Run

INK, BLUE, RED = "#222222", "#0072B2", "#D55E00"


def picture(axes: Axes, image: np.ndarray, x: float, y: float, side: float, frame: str) -> None:
    """Put an image into axes coordinates, with a thin frame."""
    inset = axes.inset_axes((x, y, side, side), transform=axes.transData)
    inset.imshow(image, interpolation="bilinear")
    inset.set(xticks=[], yticks=[])
    for spine in inset.spines.values():
        spine.set(color=frame, linewidth=1.6)


def arrow(axes: Axes, x: float, y: float, length: float) -> None:
    """Draw a step to the right."""
    axes.add_patch(
        FancyArrowPatch((x, y), (x + length, y), arrowstyle="-|>", mutation_scale=16, color=INK)
    )


def main() -> None:
    """Draw the picture."""
    run = Run.load(sys.argv[1])
    cells = bundled_cells()
    rng = np.random.default_rng(4)
    figure = Figure(figsize=(13, 4.3), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlim=(0, 26), ylim=(0, 8.6), aspect="equal")
    axes.set_axis_off()

    def title(x: float, text: str, note: str) -> None:
        axes.text(x, 8.1, text, ha="center", fontsize=13, weight="bold", color=INK)
        axes.text(x, 0.35, note, ha="center", va="center", fontsize=10, color="#555555")

    title(2.6, "Your patches", "a folder, a stack,\na layer; no labels needed")
    chosen = rng.choice(len(cells), 9, replace=False)
    for place, index in enumerate(chosen):
        x, y = 0.5 + 1.5 * (place % 3), 2 + 1.5 * (place // 3)
        picture(axes, cells.thumbnail(int(index)), x, y, 1.35, "#BBBBBB")
    arrow(axes, 5.2, 4.2, 1.0)

    title(8.6, "Two views of each", "turned, cropped, recoloured at random")
    for row, (index, colour) in enumerate(zip(chosen[:2], (BLUE, RED), strict=True)):
        views = preview_views(cells, int(index), AugmentConfig(), 2, seed=8)
        for column, view in enumerate(views):
            picture(axes, view, 6.6 + 2.1 * column, 4.6 - 2.5 * row, 1.9, colour)
    arrow(axes, 10.9, 4.2, 1.0)

    title(
        14.2, "A network learns", "128 numbers first, then two:\nthe three stages of t-SimCNE"
    )
    for width, x in ((3.6, 12.4), (2.8, 13.3), (2.0, 14.2), (1.2, 15.1)):
        axes.add_patch(
            FancyBboxPatch(
                (x, 4.2 - width / 2),
                0.45,
                width,
                boxstyle="round,pad=0.06",
                fc="#E8EEF4",
                ec=INK,
            )
        )
    axes.text(14.2, 6.75, "same patch: pull together", ha="center", fontsize=10, color=BLUE)
    axes.text(14.2, 1.55, "other patches: push apart", ha="center", fontsize=10, color=RED)
    arrow(axes, 16.1, 4.2, 1.0)

    title(21.6, "The map", "click points, lasso groups, look at the patches (colours: labels)")
    inset = axes.inset_axes((17.3, 0.95, 8.6, 6.7), transform=axes.transData)
    labels = run.labels
    assert labels is not None
    counts = Counter(labels.tolist())
    order = sorted(filter(None, counts), key=lambda name: (-counts[name], name))
    colours = dict(zip(order, categorical_colours(len(order)), strict=True))
    shuffled = rng.permutation(len(run))
    inset.scatter(
        run.embedding[shuffled, 1],
        run.embedding[shuffled, 0],
        c=[colours[label] for label in labels[shuffled]],
        s=7,
        linewidths=0,
    )
    inset.set_aspect("equal")
    inset.invert_yaxis()
    inset.set_axis_off()
    figure.savefig(Path(__file__).with_name("how-it-works.png"), facecolor="white")


if __name__ == "__main__":
    main()
