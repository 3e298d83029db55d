"""What is known of a plate before a pixel is read: its fields, and where each lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from napari_patchmap.patches.axes import extents
from napari_patchmap.patches.patchset import Skipped
from napari_patchmap.patches.wells import row_name, well_name


class PlateField(NamedTuple):
    """One field of view: its image, and the well it lies in."""

    root: Path
    """Of its plate, a folder or a zip file."""
    key: str
    """Of its image in the plate, such as ``B/7/0``."""
    array: str
    """Of the largest level of it, such as ``B/7/0/0``."""
    shape: tuple[int, ...]
    dtype: np.dtype
    row: int
    column: int
    name: str
    acquisition: str
    plate: str
    source: str
    """What the table calls it: its key, behind the plate's name in a folder of several."""


@dataclass(frozen=True)
class Plate:
    """An OME-Zarr plate, or all plates of a folder.

    Attributes
    ----------
    root : Path
        The plate, or the folder.
    fields : list of PlateField
        Of one pixel type, number of axes and of channels; sizes may differ. Those of a plate
        lie together.
    letters : str
        One a axis of each field.
    channel_names : tuple of str
        As far as the plate names them.
    skipped : list of Skipped
        Plates, wells and fields that are not there or are of another kind.
    in_wells : bool
        Whether the fields lie in wells; else they are images of a folder.
    """

    root: Path
    fields: list[PlateField]
    letters: str
    channel_names: tuple[str, ...]
    skipped: list[Skipped]
    in_wells: bool = True

    @property
    def names(self) -> list[str]:
        """Names of the plates, in their order."""
        return list(dict.fromkeys(one.plate for one in self.fields))

    @property
    def sources(self) -> np.ndarray:
        """What the table calls each field."""
        return np.array([one.source for one in self.fields], object)

    def frames(self, field: PlateField) -> int:
        """Return how many images a field holds: more than one in a time series."""
        return extents(field.shape, self.letters)[0]

    def size(self, field: PlateField) -> tuple[int, int]:
        """Return height and width of a field in pixels."""
        return extents(field.shape, self.letters)[1:3]


def well_columns(fields: Sequence[PlateField]) -> dict[str, Any]:
    """Return the columns that say where fields lie, one value a field.

    ``field`` is a number where all fields are numbered; ``acquisition`` is there only where
    several are told apart.
    """
    numbered = all(one.name.isdigit() for one in fields)
    columns: dict[str, Any] = {
        "plate": [one.plate for one in fields],
        "row": [row_name(one.row) for one in fields],
        "column": [one.column + 1 for one in fields],
        "well": [well_name(one.row, one.column) for one in fields],
        "field": [int(one.name) if numbered else one.name for one in fields],
    }
    if len({one.acquisition for one in fields}) > 1:
        columns["acquisition"] = [one.acquisition for one in fields]
    return columns
