"""Pictures that bring out some objects of a label image, or some tiles of a slide.

A picture holds one of the values below for each of its pixels; it may be coarser
than the image it lies on.
"""

from __future__ import annotations

from typing import Any

import numpy as np

#: What a pixel of a picture is: not chosen, chosen, the edge of something chosen,
#: the edge of a tile while nothing is chosen.
OTHER, CHOSEN, EDGE, OUTLINE = range(4)

#: Longest side of a picture in pixels: drawn in a moment, and finer than any screen.
_LONGEST = 4096

#: Pixels of the picture along the side of a tile, as far as its longest side allows;
#: at least those, and the pixels that a whole slide takes on the screen.
_TILE, _LEAST_TILE, _SCREEN = 20, 8, 420

#: Pixels of the screen that a chosen box takes at least, so that it is found on a whole slide.
_DOT = 3

#: Dots of more than this share of a picture are half as wide: they would cover the slide.
_CROWDED = 0.1

#: A box of fewer pixels of the picture has no edge, which would cover what is in it.
_LEAST_RING = 6

#: Objects with a median side of more pixels than this get a broader edge.
_LARGE = 24


class ObjectPicture:
    """Draws the objects of a Labels layer.

    Parameters
    ----------
    labels : array-like of int, shape (height, width) or (time, height, width)
    frames, ids : ndarray of int, shape (n,)
        Frame and number of each object.
    side : float
        How large the objects are, in pixels.
    """

    def __init__(self, labels: Any, frames: np.ndarray, ids: np.ndarray, side: float) -> None:
        self._labels, self._frames, self._ids = labels, frames, ids
        self.size = int(labels.shape[-2]), int(labels.shape[-1])
        self.step = max(1, -(-max(self.size) // _LONGEST))
        self._broad = side / self.step > _LARGE
        self._of = -1
        self._index: np.ndarray = np.zeros((0, 0), np.int32)
        self._edges: np.ndarray = np.zeros((0, 0), bool)
        self._rows = np.zeros(0, np.intp)

    def draw(self, frame: int, chosen: np.ndarray) -> np.ndarray:
        """Draw the chosen objects of a frame; ``chosen`` is ``(n,)`` bool."""
        self._read(frame)
        # Index 0 is the background, then come the objects of this frame.
        kinds = np.zeros(len(self._rows) + 1, np.uint8)
        kinds[1:][chosen[self._rows]] = CHOSEN
        picture = kinds[self._index]
        picture[self._edges & (picture == CHOSEN)] = EDGE
        return picture

    def find(self, frame: int, y: float, x: float) -> np.ndarray:
        """Return which object lies at a place, nothing for none."""
        row, column = round(y), round(x)
        if not (0 <= row < self.size[0] and 0 <= column < self.size[1]):
            return np.zeros(0, np.intp)
        at = (frame, row, column) if len(self._labels.shape) > 2 else (row, column)
        number = int(np.asarray(self._labels[at]))
        found = np.flatnonzero((self._ids == number) & (self._frames == frame))
        return found[: 1 if number else 0]

    def _read(self, frame: int) -> None:
        """Say of each pixel of a frame which object it belongs to; kept until the next."""
        if self._of == frame:
            return
        plane = self._labels[frame] if len(self._labels.shape) > 2 else self._labels
        half = self.step // 2
        plane = np.asarray(plane[half :: self.step, half :: self.step])
        rows = np.flatnonzero(self._frames == frame)
        self._rows = rows[np.argsort(self._ids[rows], kind="stable")]
        # Runs of one number are looked up, which are far fewer than pixels.
        flat = plane.ravel()
        starts = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))
        numbers, ids = flat[starts].astype(np.int64, copy=False), self._ids[self._rows]
        if len(ids):
            found = np.searchsorted(ids, numbers).clip(max=len(ids) - 1)
            known = np.where(ids[found] == numbers, found + 1, 0).astype(np.int32)
        else:
            known = np.zeros(len(numbers), np.int32)
        lengths = np.diff(starts, append=flat.size)
        self._index = np.repeat(known, lengths).reshape(plane.shape)
        self._edges = edges(self._index, 2 if self._broad else 1)
        self._of = frame


class BoxPicture:
    """Draws boxes, such as the tiles of a slide.

    Parameters
    ----------
    boxes : ndarray of int, shape (n, 4)
        Top, left, height and width in pixels of the source.
    frames : ndarray of int, shape (n,)
    size : (height, width)
        Of the source in pixels.
    """

    def __init__(
        self, boxes: np.ndarray, frames: np.ndarray, size: tuple[float, float]
    ) -> None:
        self._boxes, self._frames = boxes, frames
        self.size = int(size[0]), int(size[1])
        side, longest = int(np.median(boxes[:, 2:].min(axis=1))), max(self.size)
        # Lines thinner than a pixel of the screen come and go when all is shown.
        thin = min(side // _LEAST_TILE, longest // _SCREEN)
        self.step = max(1, side // _TILE, thin, -(-longest // _LONGEST))
        self._side, self._dot = side, 1

    def seen_at(self, pixel: float) -> bool:
        """Take how many pixels of the source one of the screen spans.

        Boxes too small to be seen are drawn larger, as dots. Returned is whether a picture
        that was drawn before is not right any more.
        """
        before, wanted = self._dot, _DOT * pixel
        # By powers of two, so that not every turn of the wheel draws all of it again.
        power = int(np.ceil(np.log2(max(1.0, wanted / self.step))))
        self._dot = 1 if wanted <= self._side else 2**power
        return self._dot != before

    def draw_all(self) -> np.ndarray:
        """Draw all boxes as chosen, with one line between neighbours."""
        picture = self._empty()
        self._outline(picture, self._corners(np.ones(len(self._boxes), bool)), EDGE, CHOSEN)
        return picture

    def _empty(self) -> np.ndarray:
        return np.full([-(-side // self.step) for side in self.size], OTHER, np.uint8)

    def draw(self, frame: int, chosen: np.ndarray) -> np.ndarray:
        """Draw the chosen boxes; the outlines of all while none is chosen."""
        picture, here = self._empty(), self._frames == frame
        if not chosen.any():
            # Nothing is shaded then, so that outlines are all there is to be seen.
            self._outline(picture, self._corners(here), OUTLINE, OTHER)
        else:
            which, dot = here & chosen, self._dot
            if np.count_nonzero(which) * dot**2 > _CROWDED * picture.size:
                dot = -(-dot // 2)
            for top, left, bottom, right in self._corners(which, dot):
                inside = picture[top + 1 : bottom - 1, left + 1 : right - 1]
                if bottom - top <= dot > 1:
                    picture[top:bottom, left:right] = EDGE
                elif min(bottom - top, right - left) < _LEAST_RING:
                    picture[top:bottom, left:right] = CHOSEN
                else:
                    picture[top:bottom, left:right] = EDGE
                    inside[:] = CHOSEN
        return picture

    def find(self, frame: int, y: float, x: float) -> np.ndarray:
        """Return the boxes, or dots, that a place lies in, that of the closest middle first."""
        low, sizes = self._boxes[:, :2], self._boxes[:, 2:]
        grown = (np.maximum(sizes, self._dot * self.step if self._dot > 1 else 1) - sizes) / 2
        at = np.array([y + 0.5, x + 0.5])
        inside = np.all((at >= low - grown) & (at < low + sizes + grown), axis=1)
        found = np.flatnonzero(inside & (self._frames == frame))
        away = low[found] + sizes[found] / 2 - at
        return found[np.argsort((away**2).sum(axis=1), kind="stable")]

    def _corners(self, which: np.ndarray, least: int = 1) -> list[list[int]]:
        """Return top, left, bottom and right in pixels of the picture, ``least`` apart."""
        boxes = self._boxes[which]
        low, high = (
            np.rint(side / self.step).astype(int).clip(min=0)
            for side in (boxes[:, :2], boxes[:, :2] + boxes[:, 2:])
        )
        lacking = (least - (high - low)).clip(min=0)
        low = (low - lacking // 2).clip(min=0)
        corners: list[list[int]] = np.hstack([low, np.maximum(high, low + least)]).tolist()
        return corners

    def _outline(
        self, picture: np.ndarray, corners: list[list[int]], line: int, inside: int
    ) -> None:
        """Draw lines of one pixel, one only between neighbours."""
        for top, left, bottom, right in corners:
            picture[top:bottom, left:right] = line
            picture[top + 1 : bottom, left + 1 : right] = inside
        # The lower and the right edge, where no neighbour drew its own.
        height, width = picture.shape
        for top, left, bottom, right in corners:
            picture[min(bottom, height - 1), left : right + 1] = line
            picture[top : bottom + 1, min(right, width - 1)] = line


def edges(index: np.ndarray, width: int) -> np.ndarray:
    """Say which pixels lie within ``width`` of a pixel that has another index."""
    out = np.zeros(index.shape, bool)
    for away in range(1, width + 1):
        differs = index[away:] != index[:-away]
        out[away:] |= differs
        out[:-away] |= differs
        differs = index[:, away:] != index[:, :-away]
        out[:, away:] |= differs
        out[:, :-away] |= differs
    return out
