"""A file that has gone costs its own patch and no other."""

from __future__ import annotations

import dataclasses

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.find.picture_measures import measured
from napari_patchmap.find.readable import readable
from napari_patchmap.patches.images import ArrayImages
from tests.conftest import make_cells


class _OneHasGone(ArrayImages):
    def __getitem__(self, index: int) -> np.ndarray:
        if index == 5:
            raise PatchError("cell 5.png cannot be read.")
        return super().__getitem__(index)

    def take(self, indices: np.ndarray) -> np.ndarray:
        return np.stack([self[int(i)] for i in indices])


def test_what_can_be_read_is_read_and_measured_as_if_all_were_there():
    whole = make_cells(20)
    images = _OneHasGone(whole.stack())
    some = dataclasses.replace(whole, images=images, missing=np.array([7]))
    rows = np.arange(2, 12)
    read, pixels = readable(some, rows, (16, 16))
    assert read.tolist() == [2, 3, 4, 6, 8, 9, 10, 11]
    np.testing.assert_array_equal(pixels, whole.pixels(read, (16, 16)))
    assert len(readable(some, np.array([5, 7]), (16, 16))[1]) == 0
    expected = measured(whole, rows)
    found = measured(some, rows)
    there = np.isin(rows, read)
    for name in ("brightness", "contrast"):
        np.testing.assert_allclose(found[name][there], expected[name][there], rtol=1e-6)
        assert np.isnan(found[name][~there]).all()
