"""Which pixels of a crop belong to its object, told by outlines, however large the slide is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_patchmap.patches.readers.objects.crop_images import OTHER, OWN
from napari_patchmap.patches.readers.objects.drawn_objects import Outline, fill
from napari_patchmap.patches.readers.objects.find_objects import Objects

#: Objects that lie in more squares of the grid than this are looked at for every crop.
_MANY = 256


class OutlineClasses:
    """Fills the outlines of a slide that lie in a crop, its own last.

    Parameters
    ----------
    outlines : sequence of Outline
        In pixels of the slide.
    downsample : float
        How many of these one pixel of the crops spans.
    found : Objects
        The same, measured in pixels of the crops.
    side : int
        Of the crops.
    """

    def __init__(
        self, outlines: Sequence[Outline], downsample: float, found: Objects, side: int
    ) -> None:
        self._outlines, self._downsample = outlines, downsample
        self._grid = _Grid(found, side)

    def __call__(self, own: int, rows: slice, columns: slice) -> np.ndarray:
        shape = rows.stop - rows.start, columns.stop - columns.start
        kinds, corner = np.zeros(shape, np.uint8), (columns.start, rows.start)
        near = self._grid.near(rows, columns)
        for number in [*near[near != own].tolist(), own]:
            rings = [
                ring / self._downsample - corner for ring in self._outlines[number - 1].rings
            ]
            down, right, inside = fill(Outline(rings), shape)
            kinds[down, right][inside] = OWN if number == own else OTHER
        return kinds


class _Grid:
    """Finds the objects whose boxes lie in a crop, by the squares of a grid."""

    def __init__(self, found: Objects, side: int) -> None:
        self._found, self._side = found, side
        low, high = found.boxes[:, :2] // side, (found.boxes[:, 2:] - 1) // side
        spans = high - low + 1
        counts = spans.prod(axis=1)
        self._large = np.flatnonzero(counts > _MANY)
        counts[self._large] = 0
        owner = np.repeat(np.arange(len(counts)), counts)
        place = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
        down, right = np.divmod(place, spans[owner, 1])
        keys = self._key(low[owner, 0] + down, low[owner, 1] + right)
        order = np.argsort(keys, kind="stable")
        self._keys, self._owner = keys[order], owner[order]

    def near(self, rows: slice, columns: slice) -> np.ndarray:
        """Return the ids of the objects whose boxes lie in a box, in the order of the file."""
        y = np.arange(rows.start // self._side, (rows.stop - 1) // self._side + 1)
        x = np.arange(columns.start // self._side, (columns.stop - 1) // self._side + 1)
        squares = self._key(y[:, None], x).ravel()
        first = np.searchsorted(self._keys, squares, "left").tolist()
        last = np.searchsorted(self._keys, squares, "right").tolist()
        parts = [self._owner[a:b] for a, b in zip(first, last, strict=True)]
        here = np.unique(np.concatenate([self._large, *parts]))
        boxes = self._found.boxes[here]
        inside = (
            (boxes[:, 0] < rows.stop)
            & (boxes[:, 2] > rows.start)
            & (boxes[:, 1] < columns.stop)
            & (boxes[:, 3] > columns.start)
        )
        return np.sort(self._found.ids[here[inside]])

    @staticmethod
    def _key(y: np.ndarray, x: np.ndarray) -> np.ndarray:
        return (y << 32) + x
