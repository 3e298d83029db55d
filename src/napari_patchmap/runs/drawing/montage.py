"""A map as a grid of patches: in each square one of the class that most of it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_patchmap.errors import RunError
from napari_patchmap.explore.colouring import Colouring
from napari_patchmap.runs.drawing.drawable import Drawable
from napari_patchmap.runs.drawing.figure_config import PageConfig
from napari_patchmap.runs.drawing.framed_pictures import FramedPictures
from napari_patchmap.runs.drawing.legend_page import LegendPage
from napari_patchmap.settings import setting

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Squares along a side where nothing is said: at least, at most, and patches in one.
_FEWEST, _MOST, _IN_ONE = 6, 24, 20

#: Share of an even spread that a square must hold to be shown: published are 100 of 107,180
#: patches in 10 x 10 squares.
_SHARE = 0.1

#: Share of a square that stays free between two pictures.
_GAP = 0.06


@dataclass(frozen=True)
class MontageConfig(PageConfig):
    """Settings of a montage."""

    squares: int | None = setting(
        None, "squares along each side of the map; more where there are many patches",
        low=1, high=100,
    )  # fmt: skip
    least: int | None = setting(
        None,
        "patches that a square must hold to be shown; a tenth of what it would hold if they "
        "were spread evenly",
        low=1, label="Least in a square",
    )  # fmt: skip
    pick: Literal["random", "middle"] = setting(
        "random",
        "which patch of its majority class stands for a square: one at random, or the one "
        "nearest its middle",
        label="Patch shown",
    )
    seed: int = setting(0, "of the random choice", low=0)
    names: Literal["legend", "none"] = setting(
        "legend", "whether the classes are named in a legend"
    )


def draw_montage(given: Drawable, config: MontageConfig) -> Figure:
    """Draw the montage of a map (Nwabufo et al., figure 5b).

    The square around the map is cut into squares. Each that holds enough patches shows one
    patch of the class that most of them have, in a frame of its colour; of patches without
    classes any of them, without a frame. Where colours stand for numbers a patch has its own.

    Raises
    ------
    RunError
        If no square holds enough patches, the images are gone, or the page is too large.
    """
    patches, there = given.pictured()
    colouring, count = given.colouring, len(given.embedding)
    squares = config.squares or min(_MOST, max(_FEWEST, round((count / _IN_ONE) ** 0.5)))
    least = config.least or max(1, round(_SHARE * count / squares**2))
    chosen, cells = montage_patches(
        given.embedding, colouring, squares, least,
        seed=config.seed if config.pick == "random" else None, there=there,
    )  # fmt: skip
    if not len(chosen):
        raise RunError(
            f"No square of {squares} x {squares} holds {least:,} patches; choose fewer "
            "squares, or a lower number of patches as the least."
        )
    named = config.names == "legend"
    page = LegendPage(colouring, config, 1.0, legend=named, bar=named)
    pictures = FramedPictures(page, patches, given.watch)
    left, top, wide, _ = page.box
    side = wide / squares
    coloured = bool(colouring.names) or colouring.limits is not None
    for row, (down, across) in zip(chosen, cells, strict=True):
        x, y = left + (across + _GAP / 2) * side, top + (down + _GAP / 2) * side
        colour = colouring.colours[row, :3] if coloured else None
        pictures.put(given.rows[row], x, y, (1 - _GAP) * side, colour)
    page.write_title()
    page.name_colours()
    return page.figure


def montage_patches(
    embedding: np.ndarray, colouring: Colouring, squares: int, least: int,
    *, seed: int | None, there: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Choose a patch for each square of the map that holds enough of them.

    Parameters
    ----------
    embedding : ndarray, shape (n, d)
    colouring : Colouring
    squares : int
        Along each side.
    least : int
        Patches that a square must hold.
    seed : int or None
        Of the random choice; None chooses those nearest the middles.
    there : ndarray of bool, shape (n,)
        Patches that may be chosen.

    Returns
    -------
    chosen : ndarray of int, shape (m,)
    cells : ndarray of int, shape (m, 2)
        Which square each stands for, from above and from the left.
    """
    places = np.asarray(embedding, float)[:, -2:]
    low, high = places.min(axis=0), places.max(axis=0)
    span = max(float((high - low).max()), 1e-9 * max(1.0, float(np.abs(places).max())))
    inside = (places - (low + high) / 2) / span * squares + squares / 2
    cells = np.clip(inside.astype(int), 0, squares - 1)
    number = cells[:, 0] * squares + cells[:, 1]
    full = np.bincount(number, minlength=squares**2) >= least
    taken = there & full[number]
    if colouring.names:
        groups = len(colouring.names)
        votes = np.bincount(number * groups + colouring.codes, minlength=squares**2 * groups)
        taken &= votes.reshape(-1, groups).argmax(axis=1)[number] == colouring.codes
    rows = np.flatnonzero(taken)
    if seed is None:
        rank = ((inside - cells - 0.5) ** 2).sum(axis=1)[rows]
    else:
        rank = np.random.default_rng(seed).permutation(len(places))[rows]
    rows = rows[np.lexsort((rank, number[rows]))]
    _, first = np.unique(number[rows], return_index=True)
    return rows[first], cells[rows[first]]
