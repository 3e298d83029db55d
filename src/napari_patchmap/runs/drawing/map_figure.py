"""The figure ``map``: the map of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from napari_patchmap.errors import RunError
from napari_patchmap.explore.colouring import Colouring, colour_by
from napari_patchmap.explore.condition_columns import ConditionColumns
from napari_patchmap.runs.drawing.figure_config import FigureConfig
from napari_patchmap.runs.drawing.map_page import draw_map
from napari_patchmap.runs.saved_map import SavedMap

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(saved: SavedMap, config: FigureConfig) -> Figure:
    """Draw the map of a saved run.

    Raises
    ------
    RunError
        If the run is damaged, has no such column, or the page is too large.
    """
    embedding, table = saved.read()
    return draw_map(embedding, chosen_colouring(table, config.colour_by), config)


def chosen_colouring(table: pd.DataFrame, column: str | None) -> Colouring:
    """Colour patches by a column of their table; by their label where None is named.

    Raises
    ------
    RunError
        If there is no such column.
    """
    if column is None:
        column = "label" if "label" in table and table["label"].notna().any() else ""
    elif column == "none" and column not in table:
        column = ""
    elif column not in table:
        columns = ConditionColumns(table)
        near = columns.near(column)
        there = f"did you mean {near}?" if near else f"there are {', '.join(columns.names)}."
        raise RunError(f"There is no column {column[:40]!r}; {there}")
    return colour_by(table, column)
