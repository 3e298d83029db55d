"""Levels that are stored in blocks: any box is put together, and a block is decoded once."""

from __future__ import annotations

import numpy as np

from napari_patchmap.patches.readers.slides.stored_blocks import Blocks


def test_any_box_is_put_together_and_each_block_decoded_once(rng):
    whole = rng.integers(0, 200, (50, 70, 4), np.uint8)
    decoded: list[tuple[int, int]] = []

    def decode(row: int, column: int) -> np.ndarray | None:
        decoded.append((row, column))
        if (row, column) == (0, 0):
            return None  # left out in the file
        return whole[row * 16 : row * 16 + 16, column * 32 : column * 32 + 32]

    blocks = Blocks((16, 32), decode)
    expected = whole.copy()
    expected[:16, :32] = 255
    for _ in range(50):
        y, x = rng.integers(0, (50, 70))
        height, width = rng.integers(1, (51 - y, 71 - x))
        out = np.full((height, width, 3), 255, np.uint8)  # one channel is not wanted
        blocks.read(int(y), int(x), out)
        np.testing.assert_array_equal(out, expected[y : y + height, x : x + width, :3])
    assert len(decoded) == len(set(decoded)) <= 4 * 3
