"""Which figures of a run there are: a row a figure."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_patchmap.patches.watch import Watch
from napari_patchmap.runs.drawing.class_rows import ClassRowsConfig, draw_class_rows
from napari_patchmap.runs.drawing.drawable import Drawable, drawable_of
from napari_patchmap.runs.drawing.figure_config import FigureConfig, PageConfig
from napari_patchmap.runs.drawing.map_page import draw_map
from napari_patchmap.runs.drawing.montage import MontageConfig, draw_montage
from napari_patchmap.runs.drawing.paper import check_figure_file, save_figure
from napari_patchmap.runs.drawing.tips import TipsConfig, draw_tips

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class FigureKind:
    """A figure that can be drawn of a map.

    Parameters
    ----------
    title : str
        What the window calls it.
    help : str
        What is on it, in a sentence.
    config : type
        Its settings, a :class:`PageConfig`.
    draw : callable
        Draws it of a :class:`Drawable` by such settings; may raise a PatchmapError.
    images : bool
        Whether it shows images.
    """

    title: str
    help: str
    config: type[PageConfig]
    draw: Callable[[Drawable, Any], Figure]
    images: bool = True


#: By their names on the command line.
FIGURE_KINDS: dict[str, FigureKind] = {
    "map": FigureKind(
        "Map",
        "the points of the map, in the colours of their groups or numbers",
        FigureConfig,
        lambda given, config: draw_map(given.embedding, given.colouring, config),
        images=False,
    ),
    "montage": FigureKind(
        "Montage",
        "the map as a grid of patches: in each square one of the class that most of it has",
        MontageConfig,
        draw_montage,
    ),
    "tips": FigureKind(
        "Tips",
        "the map, and lines from places on it to the patches that lie there",
        TipsConfig,
        draw_tips,
    ),
    "classes": FigureKind(
        "Classes", "a row of examples of each class", ClassRowsConfig, draw_class_rows
    ),
}


def make_figure(
    kind: str,
    folder: str | os.PathLike[str],
    path: str | os.PathLike[str],
    config: PageConfig,
    *,
    images: str | os.PathLike[str] | None = None,
    watch: Watch | None = None,
) -> Path:
    """Draw a figure of a saved run into a file, whose ending says its format.

    Parameters
    ----------
    kind : str
        One of :data:`FIGURE_KINDS`.
    folder : path
        Of the run.
    path : path
        ``.png``, ``.svg`` or ``.pdf``; one that is there is replaced.
    config : PageConfig
        The settings of the kind.
    images : path, optional
        Where the images are now, if they were moved.
    watch : Watch, optional
        Hears how far reading images is, and may stop it.

    Raises
    ------
    RunError
        If the file cannot be written, the run is damaged, or has not what is asked for.
    """
    path = check_figure_file(path)
    given = drawable_of(folder, config.colour_by, images, watch)
    return save_figure(FIGURE_KINDS[kind].draw(given, config), path)
