"""Blocks in which a level of a slide is stored: decoded when wanted, and kept for a while."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial

import numpy as np

from napari_patchmap.patches.latest import Latest

#: Decoded blocks that are kept in memory, all slides together, in bytes. One row of tiles
#: of a slide 100,000 pixels wide takes about 80 MB.
_KEPT = 2**27

_BLOCKS: Latest[np.ndarray | None] = Latest(
    _KEPT, lambda pixels: 0 if pixels is None else pixels.nbytes
)

#: Tells grids apart among these blocks, also those of slides that were closed.
_TOKENS = itertools.count()


class Blocks:
    """A plane that is stored as a grid of blocks: tiles, frames, chunks or strips.

    Parameters
    ----------
    side : (height, width)
        Of a block in pixels.
    decode : callable
        Returns the block of a row and a column of the grid as ``(height, width, channel)``,
        less at the border or more of it; None if nothing is stored there.
    """

    def __init__(
        self, side: tuple[int, int], decode: Callable[[int, int], np.ndarray | None]
    ) -> None:
        self.side, self._decode, self._token = side, decode, next(_TOKENS)

    def read(self, y: int, x: int, out: np.ndarray) -> None:
        """Copy the pixels at ``y``, ``x``, all inside, into ``out`` (height, width, channel).

        What is not stored stays as it is, and so do further channels of the blocks.
        """
        (height, width, channels), (tall, wide) = out.shape, self.side
        for row in range(y // tall, -(-(y + height) // tall)):
            for column in range(x // wide, -(-(x + width) // wide)):
                make = partial(self._decode, row, column)
                block = _BLOCKS.get((self._token, row, column), make)
                if block is None:
                    continue
                top, left = max(y, row * tall), max(x, column * wide)
                bottom = min(y + height, (row + 1) * tall)
                right = min(x + width, (column + 1) * wide)
                out[top - y : bottom - y, left - x : right - x] = block[
                    top - row * tall : bottom - row * tall,
                    left - column * wide : right - column * wide,
                    :channels,
                ]
