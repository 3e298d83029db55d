"""What a format is given to write, and what a format says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.kind import Kind
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import Watch


@dataclass(frozen=True, eq=False)
class Exportable:
    """The chosen patches of a run, row by row.

    Parameters
    ----------
    name : str
        Of the run's patches.
    method : str
        That made the map, such as ``tsimcne``.
    settings : dict
        The run's settings, as plain values.
    rows : ndarray of int, shape (m,)
        Position of each in the whole patch set.
    table : DataFrame
        Columns ``index``, ``axis-0``, ``axis-1``, then those of the patches, then
        annotations and whatever was handed over besides.
    embedding : ndarray of float32, shape (m, d)
    features : ndarray of float32, shape (m, D), or None
        None where the run holds none.
    class_column : str
        Column of ``table`` that is the class, "" for none.
    classes : ndarray of str objects, shape (m,)
        Class of each, "" where there is none.
    colours : mapping
        Of columns of groups: colour ``#rrggbb`` by the name of the group.
    origin : dict
        How the images are opened.
    open_patches : callable
        Opens the whole patch set, for formats that need pixels.
    watch : Watch
    """

    name: str
    method: str
    settings: Mapping[str, Any]
    rows: np.ndarray
    table: pd.DataFrame
    embedding: np.ndarray
    features: np.ndarray | None
    class_column: str
    classes: np.ndarray
    colours: Mapping[str, Mapping[str, str]]
    origin: Mapping[str, Any]
    open_patches: Callable[[], PatchSet]
    watch: Watch

    @property
    def has_places(self) -> bool:
        """Whether the patches were cut out of images, so that their boxes say where."""
        cut = self.origin.get("kind") in (Kind.SLIDES, Kind.OBJECTS)
        table = self.table
        return cut or "label_id" in table or bool((table[["y", "x"]] != 0).to_numpy().any())

    @property
    def class_colours(self) -> Mapping[str, str]:
        """Colour ``#rrggbb`` of each class by its name."""
        return self.colours.get(self.class_column, {})


@dataclass(frozen=True)
class ExportFormat:
    """A format that patches are exported to.

    Parameters
    ----------
    ending : str
        Of the name of a file, "" for a folder.
    title : str
        For dialogs and help.
    write : callable
        Given the patches and the path, writes all of it or nothing; returns the paths that
        were written and what should be known of it, in sentences. May raise a
        :class:`~napari_patchmap.errors.PatchmapError`, or an OSError.
    """

    ending: str
    title: str
    write: Callable[[Exportable, Path], tuple[list[Path], list[str]]]
