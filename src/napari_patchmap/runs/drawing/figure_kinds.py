"""Which figures of a run there are: a row a figure, with the module that draws it."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

from napari_patchmap.runs.drawing.figure_config import FigureConfig

#: Name on the command line, and the module; its ``draw(saved, config)`` returns the page.
FIGURE_KINDS = {
    "map": "map_figure",
}


def make_figure(
    kind: str,
    folder: str | os.PathLike[str],
    path: str | os.PathLike[str],
    config: FigureConfig,
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
    config : FigureConfig

    Raises
    ------
    RunError
        If the file cannot be written, the run is damaged, or has not what is asked for.
    """
    from napari_patchmap.runs.drawing.paper import check_figure_file, save_figure
    from napari_patchmap.runs.saved_map import read_map

    path = check_figure_file(path)
    module = import_module(f"napari_patchmap.runs.drawing.{FIGURE_KINDS[kind]}")
    return save_figure(module.draw(read_map(Path(folder)), config), path)
