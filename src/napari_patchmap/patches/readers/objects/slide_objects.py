"""Which objects lie on a whole slide, told by outlines, a label image or their centres."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.readers.objects.centre_tables import Centres
from napari_patchmap.patches.readers.objects.drawn_objects import (
    Outline,
    measure,
    values_table,
)
from napari_patchmap.patches.readers.objects.find_objects import Objects
from napari_patchmap.patches.readers.objects.outline_classes import OutlineClasses
from napari_patchmap.patches.readers.objects.slide_labels import SlideLabels
from napari_patchmap.patches.watch import Watch

#: Objects are ordered by squares of so many pixels of the slide: neighbours are read together.
_SQUARE = 2048

#: What stands for the unknown area of an object.
_UNKNOWN = np.iinfo(np.int64).max


@dataclass(frozen=True)
class SlideObjects:
    """Objects of one slide.

    Attributes
    ----------
    found : Objects
        In level-0 pixels; ids are those of the label image, or the numbers of the objects in
        their file, from 1 on.
    rows : DataFrame
        What is said of each; its index are the ids.
    label : str
        The column of ``rows`` that is the class, "" without one.
    notes : list of str
    shapes : sequence of Outline, or SlideLabels, optional
        What belongs to each: the outline of the id n is the n-th, from 1 on. Of centres
        nothing is known.
    """

    found: Objects
    rows: pd.DataFrame
    label: str
    notes: list[str]
    shapes: Sequence[Outline] | SlideLabels | None = None

    def scaled(self, downsample: float) -> Objects:
        """Return the objects in pixels that span ``downsample`` pixels of the slide."""
        boxes = self.found.boxes / downsample
        area = self.found.area
        if self.shapes is not None:
            area = np.rint(area / downsample**2).astype(np.int64)
        return replace(
            self.found,
            boxes=np.concatenate(
                [np.floor(boxes[:, :2]), np.ceil(boxes[:, 2:])], axis=1
            ).astype(np.int64),
            area=area,
            centroids=(self.found.centroids + 0.5) / downsample - 0.5,
        )

    def kinds(self, downsample: float, side: int) -> Callable[[int, slice, slice], np.ndarray]:
        """Return what tells, of the pixels of a box, what belongs to an object.

        Parameters
        ----------
        downsample : float
            Pixels of the slide that one pixel of the boxes spans.
        side : int
            Of the boxes.
        """
        assert self.shapes is not None
        if isinstance(self.shapes, SlideLabels):
            return partial(self.shapes.kinds, downsample)
        return OutlineClasses(self.shapes, downsample, self.scaled(downsample), side)


def labelled(labels: SlideLabels, shape: tuple[int, int], watch: Watch) -> SlideObjects:
    """Return the objects of a label image; see :func:`outlined`.

    Raises
    ------
    PatchError
        If it holds none, or they are not told apart.
    LoadCancelled
    """
    found, notes = _on_slide(labels.on_slide(labels.objects(watch)), labels.path, shape)
    if labels.scale > 1:
        notes.append(
            f"One pixel of {labels.path.name} spans {labels.scale:.4g} pixels of the slide."
        )
    return SlideObjects(found, pd.DataFrame(index=found.ids), "", notes, labels)


def outlined(
    outlines: Sequence[Outline], label: str, path: Path, shape: tuple[int, int]
) -> SlideObjects:
    """Return the objects of a file of outlines that lie on a slide.

    Raises
    ------
    PatchError
        If most of them lie outside of the slide, whose ``shape`` is (height, width).
    """
    found, notes = _on_slide(measure(outlines), path, shape)
    rows = values_table(outlines)
    return SlideObjects(found, rows, label if label in rows else "", notes, outlines)


def centred(centres: Centres, path: Path, shape: tuple[int, int]) -> SlideObjects:
    """Return the objects of a table of centres that lie on a slide; see :func:`outlined`."""
    corner = np.floor(centres.yx).astype(np.int64)
    count = len(corner)
    boxes = np.concatenate([corner, corner + 1], axis=1)
    area = np.full(count, _UNKNOWN)
    found, notes = _on_slide(
        Objects(centres.numbers, boxes, area, centres.yx - 0.5), path, shape
    )
    rows = centres.table.set_index(centres.numbers)
    return SlideObjects(found, rows, centres.label, centres.notes + notes)


def _on_slide(found: Objects, path: Path, shape: tuple[int, int]) -> tuple[Objects, list[str]]:
    """Leave out what lies outside, and order the rest by where it lies."""
    height, width = shape
    middle = found.centroids + 0.5
    inside = ((middle >= 0) & (middle < shape)).all(axis=1)
    count, lost = len(found), int((~inside).sum())
    if 2 * lost > count:
        low, high = middle.min(axis=0), middle.max(axis=0)
        raise PatchError(
            f"{lost:,} of the {count:,} objects of {path} lie outside of the slide "
            f"({width:,} x {height:,} pixels; they have x {low[1]:,.0f} to {high[1]:,.0f}, "
            f"y {low[0]:,.0f} to {high[0]:,.0f}); choose the file of this slide, in pixels of "
            "its full size."
        )
    notes = []
    if lost:
        notes.append(f"{lost:,} objects of {path.name} lie outside of the slide; left out.")
    kept = np.flatnonzero(inside)
    y, x = (middle[kept] // _SQUARE).T
    kept = kept[np.lexsort((x, y))]
    here = replace(
        found, ids=found.ids[kept], boxes=found.boxes[kept], area=found.area[kept],
        centroids=found.centroids[kept],
    )  # fmt: skip
    return here, notes
