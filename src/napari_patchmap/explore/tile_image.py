"""Tiles as a picture: as few pixels as their grid needs, each the number of its tile."""

from __future__ import annotations

import numpy as np

#: Longest side of a picture in pixels; of tiles without a common grid they are rounded.
_LONGEST = 4096

#: Pixels of one tile up to which all tiles are painted at once, a pixel of each after another.
_MOST_OFFSETS = 256


class TileImage:
    """The grid that tiles of a slide lie on.

    Parameters
    ----------
    boxes : ndarray of int, shape (n, 4), n > 0
        Top, left, height and width in pixels of the slide.
    size : (height, width)
        Of the slide in pixels.

    Attributes
    ----------
    step : int
        Pixels of the slide along the side of one pixel of the picture: as many as all tiles
        are laid out in, so that of tiles side by side each is one pixel.
    corner : (y, x)
        Pixel of the slide where the picture begins.
    shape : (height, width)
        Of the picture.
    exact : bool
        Whether pixels of the picture end where tiles do.
    """

    def __init__(self, boxes: np.ndarray, size: tuple[int, int]) -> None:
        self._boxes = boxes
        low = boxes[:, :2].min(axis=0)
        away = [boxes[:, :2] - low, boxes[:, 2:]]
        step = int(np.gcd.reduce(np.concatenate(away).ravel()))
        least = -(-max(size) // _LONGEST)
        self.exact = step >= least
        self.step = max(1, step if self.exact else least)
        y, x = (low % self.step).tolist() if self.exact else (0, 0)
        self.corner = int(y), int(x)
        self.shape = -(-(size[0] - int(y)) // self.step), -(-(size[1] - int(x)) // self.step)

    def numbers(self, rows: np.ndarray) -> np.ndarray:
        """Return which tile each pixel belongs to.

        Parameters
        ----------
        rows : ndarray of int, shape (m,)
            The tiles that are to be seen; where they overlap, the one whose middle is closer.

        Returns
        -------
        ndarray of int32, shape ``shape``
            Position in ``rows`` plus one, 0 beside all tiles.
        """
        picture = np.zeros(self.shape, np.int32)
        boxes = self._boxes[rows].astype(np.int64)
        boxes[:, :2] -= self.corner
        low = np.rint(boxes[:, :2] / self.step).astype(np.int64)
        high = np.rint((boxes[:, :2] + boxes[:, 2:]) / self.step).astype(np.int64)
        high = np.maximum(high, low + 1)
        sides = high - low
        if len(rows) and (sides == sides[0]).all() and sides[0].prod() <= _MOST_OFFSETS:
            self._paint_alike(picture, low, sides[0])
        else:
            corners = np.concatenate([low, high], axis=1).clip(min=0).tolist()
            for number, (top, left, bottom, right) in enumerate(corners, start=1):
                picture[top:bottom, left:right] = number
        return picture

    def _paint_alike(self, picture: np.ndarray, low: np.ndarray, side: np.ndarray) -> None:
        """Paint tiles of one size, their outermost pixels first, so that middles stay."""
        inside = np.indices(tuple(side)).reshape(2, -1).T
        away = ((inside - (side - 1) / 2) ** 2).sum(axis=1)
        numbers = np.arange(1, len(low) + 1, dtype=np.int32)
        for offset in inside[np.argsort(-away, kind="stable")]:
            y, x = (low + offset).T
            there = (y >= 0) & (x >= 0) & (y < picture.shape[0]) & (x < picture.shape[1])
            picture[y[there], x[there]] = numbers[there]
