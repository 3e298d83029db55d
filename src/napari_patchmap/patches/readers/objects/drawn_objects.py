"""Objects that are drawn as outlines: polygons, measured, or filled into a label image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.readers.objects.find_objects import Objects
from napari_patchmap.patches.room import check_room
from napari_patchmap.patches.watch import Watch

#: Outlines that are filled between two reports.
_SOME = 256


@dataclass(frozen=True)
class Outline:
    """One object: rings of points, of which those within others are holes.

    Attributes
    ----------
    rings : sequence of ndarray of float64, shape (n, 2)
        x and y in pixels from the image's corner, so that the middle of the first pixel is
        (0.5, 0.5). Holes turn the other way. One point alone is the middle of an object.
    values : mapping
        What is said of it: columns of its row in the table.
    """

    rings: Sequence[np.ndarray]
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_point(self) -> bool:
        """Whether it is no outline but a place, one ring of one point."""
        return len(self.rings[0]) == 1


def fill(outline: Outline, shape: tuple[int, int]) -> tuple[slice, slice, np.ndarray]:
    """Return which pixels of an image have their middle within an outline.

    Parameters
    ----------
    outline : Outline
    shape : (height, width)
        Of the image.

    Returns
    -------
    rows, columns : slice
        A box in the image; empty if the outline lies outside.
    inside : ndarray of bool
        The pixels of that box.
    """
    points = np.concatenate(outline.rings)
    low = np.clip(np.floor(points.min(axis=0)), 0, (shape[1], shape[0])).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)), low, (shape[1], shape[0])).astype(int)
    width, height = (high - low).tolist()
    places = []
    for ring in outline.rings:
        x, y = (ring - low).T
        x_next, y_next = np.roll(x, -1), np.roll(y, -1)
        # An edge crosses the middles of these rows; where, is where inside and outside change.
        first = np.ceil(np.minimum(y, y_next) - 0.5).clip(0, height).astype(int)
        last = np.ceil(np.maximum(y, y_next) - 0.5).clip(0, height).astype(int)
        counts = last - first
        edge = np.repeat(np.arange(len(ring)), counts)
        row = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
        share = (row + 0.5 - y[edge]) / (y_next[edge] - y[edge])
        crossing = x[edge] + share * (x_next[edge] - x[edge])
        column = np.ceil(crossing - 0.5).clip(0, width).astype(int)
        places.append(row * (width + 1) + column)
    changes = np.bincount(np.concatenate(places), minlength=height * (width + 1))
    inside = changes.reshape(height, width + 1).cumsum(axis=1)[:, :width] % 2 == 1
    left, top = low.tolist()
    return slice(top, top + height), slice(left, left + width), inside


def twice_area(ring: np.ndarray) -> float:
    """Return twice the area within a ring, below 0 if it turns to the left (y is down)."""
    x, y = (ring - ring[0]).T
    return float(x[:-1] @ y[1:] - x[1:] @ y[:-1])


def measure(outlines: Sequence[Outline], scale: float = 1.0) -> Objects:
    """Return boxes, areas and centroids of outlines, the n-th of which has the id n + 1.

    They are those of the polygons, in pixels that span ``scale`` pixels of the image.
    """
    rings = [ring / scale for one in outlines for ring in one.rings]
    of_ring = np.repeat(np.arange(len(outlines)), [len(one.rings) for one in outlines])
    points, lengths = np.concatenate(rings), np.array([len(ring) for ring in rings])
    starts = np.cumsum(lengths) - lengths
    of_object = np.flatnonzero(np.diff(of_ring, prepend=-1))
    objects = starts[of_object]
    low = np.minimum.reduceat(points, objects)
    high = np.maximum.reduceat(points, objects)
    # From the corner of each: the products of large coordinates would lose digits.
    corner = low[of_ring]
    local = points - np.repeat(corner, lengths, axis=0)
    following = np.arange(1, len(points) + 1)
    following[starts + lengths - 1] = starts
    next_one = local[following]
    cross = local[:, 0] * next_one[:, 1] - next_one[:, 0] * local[:, 1]
    twice = np.add.reduceat(cross, objects)
    moments = np.add.reduceat((local + next_one) * cross[:, None], objects)
    middles = (high - low) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = moments / (3 * twice[:, None])
    solid = np.abs(twice) > 1e-9
    centroids = low + np.where(solid[:, None], inside, middles) - 0.5
    boxes = np.concatenate([np.floor(low)[:, ::-1], np.ceil(high)[:, ::-1]], axis=1)
    return Objects(
        np.arange(1, len(outlines) + 1), boxes.astype(np.int64),
        np.rint(np.abs(twice) / 2).astype(np.int64), centroids[:, ::-1],
    )  # fmt: skip


def label_image(
    outlines: Sequence[Outline], shape: tuple[int, int], path: Path, watch: Watch
) -> np.ndarray:
    """Fill outlines into a label image, the n-th one with n + 1, small ones over large ones.

    Returns
    -------
    ndarray of int32, shape (height, width)

    Raises
    ------
    PatchError
        If all of them lie outside of the image, or the memory does not take it.
    LoadCancelled
    """
    height, width = shape
    check_room(4 * height * width, f"The label image of {path}", "cut the image into parts")
    labels = np.zeros(shape, np.int32)
    order = np.argsort([-_extent(one) for one in outlines], kind="stable")
    for done, number in enumerate(order.tolist()):
        if done % _SOME == 0:
            watch.step(done, len(outlines))
        rows, columns, inside = fill(outlines[number], shape)
        labels[rows, columns][inside] = number + 1
    if not labels.any():
        raise PatchError(
            f"None of the {len(outlines):,} objects of {path} covers a pixel of the image "
            f"({width:,} x {height:,}); choose the file that belongs to the image, in pixels "
            "of its full size."
        )
    return labels


def values_table(outlines: Sequence[Outline]) -> pd.DataFrame:
    """Return what is said of outlines, one row each, numbered as in their label image."""
    return pd.DataFrame([dict(one.values) for one in outlines], range(1, len(outlines) + 1))


def _extent(outline: Outline) -> float:
    points = np.concatenate(outline.rings)
    return float(np.ptp(points, axis=0).prod())
