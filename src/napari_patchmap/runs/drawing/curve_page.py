"""A label curve on a page: how good classifiers are with more and more labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_patchmap.explore.palette import categorical_colours
from napari_patchmap.runs.drawing.figure_config import FigureConfig
from napari_patchmap.runs.drawing.paper import INKS, new_page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Height of a page for its width.
_RATIO = 0.45


def draw_curves(found: dict[str, Any], config: FigureConfig) -> Figure:
    """Draw the mean balanced accuracy of each classifier, and where 95 % of the draws lie.

    Parameters
    ----------
    found : dict
        See :func:`napari_patchmap.quality.label_curve.label_curve`.
    config : FigureConfig
        Its width, letters and look count.
    """
    page = new_page(config.width, config.width * _RATIO, config.dpi, config.look)
    inks = INKS[config.look]
    axes = page.add_axes((0.09, 0.16, 0.66, 0.79), facecolor=inks.page)
    places = np.arange(len(found["sizes"]))
    names = list(found["curves"])
    for name, colour in zip(names, categorical_colours(len(names)), strict=True):
        mean, low, high = (100 * np.array(found["curves"][name][k]) for k in _BAND)
        axes.fill_between(places, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.plot(places, mean, color=colour, label=name, marker="o", markersize=3)
    size = config.font_size
    axes.set_ylim(0, 100)
    axes.set_xticks(places, [f"{n:,}" for n in found["sizes"]])
    axes.set_xlabel("labels of each class", fontsize=size, color=inks.letters)
    axes.set_ylabel("balanced accuracy (%)", fontsize=size, color=inks.letters)
    axes.tick_params(labelsize=size, labelcolor=inks.letters, color=inks.lines)
    axes.grid(axis="y", color=inks.lines, alpha=0.3, linewidth=0.5)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(inks.lines)
    axes.legend(
        loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, fontsize=size,
        labelcolor=inks.letters,
    )  # fmt: skip
    return page


_BAND = ("mean", "low", "high")
