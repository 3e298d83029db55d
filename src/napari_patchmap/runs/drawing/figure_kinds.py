"""Which figures of a run there are: a row a figure."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.runs.drawing.attention_page import AttentionConfig, draw_attention
from napari_patchmap.runs.drawing.class_rows import ClassRowsConfig, draw_class_rows
from napari_patchmap.runs.drawing.drawable import Drawable, drawable_of
from napari_patchmap.runs.drawing.figure_config import FigureConfig, PageConfig
from napari_patchmap.runs.drawing.film import (
    FILM_ENDINGS,
    FilmConfig,
    draw_film_page,
    write_film,
)
from napari_patchmap.runs.drawing.map_page import draw_map
from napari_patchmap.runs.drawing.montage import MontageConfig, draw_montage
from napari_patchmap.runs.drawing.paper import ENDINGS, check_figure_file, save_figure
from napari_patchmap.runs.drawing.plate_page import PlateConfig, draw_plate
from napari_patchmap.runs.drawing.tips import TipsConfig, draw_tips
from napari_patchmap.runs.writable import writing

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
    endings : tuple of str
        Of the files that it can be written to, the usual one first.
    write : callable, optional
        Writes it into such a file, where that is more than the page.
    """

    title: str
    help: str
    config: type[PageConfig]
    draw: Callable[[Drawable, Any], Figure]
    images: bool = True
    endings: tuple[str, ...] = tuple(ENDINGS)
    write: Callable[[Drawable, Any, Path, Watch], Path] | None = None

    def save(self, given: Drawable, config: PageConfig, path: Path) -> Path:
        """Draw it into a file that :func:`check_figure_file` took.

        Raises
        ------
        PatchmapError
            If it cannot be drawn or written.
        """
        if self.write is None:
            return save_figure(self.draw(given, config), path)
        with writing(path):
            return self.write(given, config, path, given.watch)


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
    "attention": FigureKind(
        "What the network looks at",
        "patches, each beside a map of what the network looks at in it",
        AttentionConfig,
        draw_attention,
    ),
    "plate": FigureKind(
        "Plate",
        "the wells of a plate, coloured by the share of a group or the mean of a number",
        PlateConfig,
        draw_plate,
        images=False,
    ),
    "film": FigureKind(
        "Film",
        "the map while it learned, from the looks that the run keeps",
        FilmConfig,
        draw_film_page,
        images=False,
        endings=FILM_ENDINGS,
        write=write_film,
    ),
}


def make_figure(
    kind: str,
    folder: str | os.PathLike[str],
    path: str | os.PathLike[str],
    config: PageConfig,
    *,
    images: str | os.PathLike[str] | None = None,
    watch: Watch = UNWATCHED,
) -> Path:
    """Draw a figure of a saved run into a file, whose ending says its format.

    Parameters
    ----------
    kind : str
        One of :data:`FIGURE_KINDS`.
    folder : path
        Of the run.
    path : path
        ``.png``, ``.svg`` or ``.pdf``, of a film ``.gif`` or ``.mp4``; one that is there is
        replaced.
    config : PageConfig
        The settings of the kind.
    images : path, optional
        Where the images are now, if they were moved.
    watch : Watch, optional
        Hears how far reading images, or drawing a film, is, and may stop it.

    Raises
    ------
    RunError
        If the file cannot be written, the run is damaged, or has not what is asked for.
    """
    chosen = FIGURE_KINDS[kind]
    path = check_figure_file(path, chosen.endings)
    given = drawable_of(folder, config.colour_by, images, watch)
    return chosen.save(given, config, path)
