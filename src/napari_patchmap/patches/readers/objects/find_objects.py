"""Finds the objects of a label image: their boxes, areas and centres."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from napari_patchmap.patches.watch import UNWATCHED, Watch

#: Top, left and pixels ``(height, width)`` of a part of a label image.
LabelPart = tuple[int, int, np.ndarray]

#: Pixels looked at in one go: large enough to be fast, small enough to stop in between.
_BAND = 2**22

# Rows of the figures that are kept of every object while bands of rows are put together.
_LOW, _HIGH, _SUMS = slice(0, 2), slice(2, 4), slice(4, 7)


@dataclass(frozen=True)
class Objects:
    """The objects of one plane, by rising id.

    Attributes
    ----------
    ids : ndarray of int, shape (n,)
    boxes : ndarray of int64, shape (n, 4)
        Top, left, bottom and right in pixels; the last two are outside.
    area : ndarray of int64, shape (n,)
        Number of pixels.
    centroids : ndarray of float64, shape (n, 2)
        Mean y and x of the pixels.
    negative : bool
        Whether there are ids below 0, which are no objects.
    """

    ids: np.ndarray
    boxes: np.ndarray
    area: np.ndarray
    centroids: np.ndarray
    negative: bool = False

    def __len__(self) -> int:
        return len(self.ids)


def find_objects(plane: np.ndarray, watch: Watch = UNWATCHED) -> Objects:
    """Find the objects of a label image, ``(height, width)``, in one pass.

    0 is background, and so is what is below 0. Rows are taken apart into runs of one id, of
    which there are far fewer than pixels. So ids may be as large and as sparse as they like,
    and no copy of the plane is made. ``watch`` is told how many of how many rows are done.
    """
    height, width = plane.shape
    rows = max(1, _BAND // max(1, width))

    def bands() -> Iterator[LabelPart]:
        for top in range(0, height, rows):
            yield top, 0, plane[top : top + rows]
            watch.step(min(top + rows, height), height)

    return find_in_parts(bands(), plane.dtype)


def find_in_parts(parts: Iterable[LabelPart], dtype: np.dtype) -> Objects:
    """Find the objects of a label image that comes in parts, as :func:`find_objects` does.

    What has one id in several parts is one object. ``dtype`` is that of the ids.
    """
    ids, figures = [np.empty(0, dtype)], [np.empty((7, 0), np.int64)]
    negative = False
    for top, left, part in parts:
        found, numbers = _runs(part, top, left)
        if len(found) and found.min() < 0:
            negative = True
            found, numbers = found[found > 0], numbers[:, found > 0]
        found, numbers = _merge(found, numbers)
        ids.append(found)
        figures.append(numbers)
    found, numbers = _merge(np.concatenate(ids), np.concatenate(figures, axis=1))
    area = numbers[4]
    return Objects(
        found, numbers[:4].T.copy(), area, (numbers[5:7] / np.maximum(area, 1)).T, negative
    )


def _runs(band: np.ndarray, top: int, left: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the id and the figures of every run of one id in a row of a part."""
    width = band.shape[1]
    begins = np.ones(band.shape, bool)
    np.not_equal(band[:, 1:], band[:, :-1], out=begins[:, 1:])
    starts = np.flatnonzero(begins)
    lengths = np.diff(starts, append=band.size)
    y, x = np.divmod(starts, width)
    ids = band[y, x]
    inside = np.flatnonzero(ids)
    ids, lengths = ids[inside], lengths[inside]
    y, x = y[inside] + top, x[inside] + left
    # The sum of the columns of a run, in whole numbers: one of the factors is even.
    columns = lengths * (2 * x + lengths - 1) // 2
    return ids, np.stack([y, x, y + 1, x + lengths, lengths, y * lengths, columns])


def _merge(ids: np.ndarray, figures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Put the figures of each id together."""
    if not len(ids):
        return ids, figures
    order = np.argsort(ids, kind="stable")
    ids, figures = ids[order], figures[:, order]
    first = np.flatnonzero(np.concatenate([[True], ids[1:] != ids[:-1]]))
    merged = [
        np.minimum.reduceat(figures[_LOW], first, axis=1),
        np.maximum.reduceat(figures[_HIGH], first, axis=1),
        np.add.reduceat(figures[_SUMS], first, axis=1),
    ]
    return ids[first], np.concatenate(merged)
