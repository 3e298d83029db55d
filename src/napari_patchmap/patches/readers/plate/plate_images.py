"""The images of the fields of a plate, each opened when one of its patches is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.foreign import decoding
from napari_patchmap.patches.axes import extents
from napari_patchmap.patches.images import Images
from napari_patchmap.patches.latest import Latest
from napari_patchmap.patches.numbers import pixel_type
from napari_patchmap.patches.readers.zarr.zarr_images import ZarrImages
from napari_patchmap.patches.safe_zarr.open_zarr import open_store
from napari_patchmap.patches.safe_zarr.zarr_codecs import check_array
from napari_patchmap.patches.safe_zarr.zip_files import zipped

#: Fields that are open at a time, and bytes of decoded chunks that each keeps.
_OPEN, _KEPT = 8, 2**26


class KnownArray(NamedTuple):
    """An array of a store that was seen but not opened."""

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype


class FieldImages(Images):
    """Images of many arrays in stores, those of an array after those of another.

    Parameters
    ----------
    arrays : sequence of KnownArray
        Of one pixel type and number of channels; at least one.
    letters : str
        One letter an axis.

    Attributes
    ----------
    array_of, frame_of : ndarray of int, shape (n,)
        In which array each image lies, and which one there it is.
    """

    def __init__(self, arrays: Sequence[KnownArray], letters: str) -> None:
        self._arrays, self._letters = list(arrays), letters
        known = np.array([extents(one.shape, letters) for one in arrays], np.int64)
        self.dtype, self.channels = pixel_type(arrays[0].dtype), int(known[0, 3])
        self.array_of = np.repeat(np.arange(len(known)), known[:, 0])
        self.frame_of = np.concatenate([np.arange(count) for count in known[:, 0]])
        self.sizes = known[self.array_of, 1:3]
        self._open: Latest[ZarrImages] = Latest(_OPEN)
        # Zip files stay open as long as their images may be wanted.
        self._zips = {found[0] for one in arrays if (found := zipped(one.path)) is not None}

    def __getitem__(self, index: int) -> np.ndarray:
        at = int(self.array_of[range(len(self))[index]])
        images = self._open.get(at, lambda: self._opened(self._arrays[at]))
        return images[int(self.frame_of[index])]

    def _opened(self, known: KnownArray) -> ZarrImages:
        path = known.path
        with decoding(path, "cannot be read", "copy or save it again"):
            array = open_store(path)
            check_array(array, path)
            if array.shape != known.shape or np.dtype(array.dtype) != known.dtype:
                raise PatchError(f"{path} was changed after it was opened; load it again.")
            return ZarrImages(array, self._letters, str(path), _KEPT)
