"""Parts of TIFF pages: only the file's own tiles or strips that are looked at are decoded.

tifffile's ``aszarr(level=)`` takes about twice as long, keeps no decoded tiles, and hands over
the grey with which libjpeg fills a tile that is cut off.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import tifffile

from napari_patchmap.errors import UnusableError
from napari_patchmap.patches.colour_spaces import ycbcr_to_rgb
from napari_patchmap.patches.photometric import APERIO_YCBCR
from napari_patchmap.patches.readers.folder.headers import has_jpeg_end
from napari_patchmap.patches.readers.slides.stored_blocks import Blocks

#: A tile or strip of a file that takes more than this, in bytes, is not decoded.
_LARGEST = 2**30

_JPEG = (6, 7)


class Plane:
    """One page of a slide, or one colour (``sample``) where each is stored in tiles of its own.

    Raises
    ------
    UnusableError
        If its tiles do not lie in the file or cannot be decoded.
    """

    def __init__(
        self, page: tifffile.TiffPage | tifffile.TiffFrame, sample: int | None = None
    ) -> None:
        key = cast(tifffile.TiffPage, page.keyframe)
        self._ends = key.compression in _JPEG and not page.parent.is_ndpi
        self._ycbcr = key.compression == APERIO_YCBCR
        self._decode = key.decode
        self._options: dict[str, Any] = {}
        if key.compression in _JPEG:
            self._options = {"jpegtables": page.jpegtables, "jpegheader": key.jpegheader}
        self._offsets = np.asarray(page.dataoffsets, np.int64)
        self._counts = np.asarray(page.databytecounts, np.int64)
        self.dtype = np.dtype(key.dtype).newbyteorder("=")
        self.shape = (int(key.imagelength), int(key.imagewidth))
        stored_apart = int(key.planarconfig) == 2
        self.channels = 1 if stored_apart else int(key.samplesperpixel)
        if key.is_tiled:
            side = (int(key.tilelength), int(key.tilewidth))
        else:
            side = (min(int(key.rowsperstrip), self.shape[0]), self.shape[1])
        self._across = -(-self.shape[1] // side[1])
        count = self._across * -(-self.shape[0] // side[0])
        self._first = count * (sample or 0)
        self._check(page, self._first + count, side)
        self._file, self._blocks = page.parent.filehandle, Blocks(side, self._segment)
        # Without compression any row can be reached, however long the strips are.
        self._mapped: np.ndarray | None = None
        apart = (int(key.samplesperpixel),) if stored_apart else ()
        shape = (*apart, *self.shape, self.channels)
        if key.is_memmappable and not key.is_tiled and self._in_one_piece(shape):
            dtype = self.dtype.newbyteorder(page.parent.byteorder)
            path, offset = page.parent.filehandle.path, int(self._offsets[0])
            mapped = np.memmap(path, dtype, "r", offset=offset, shape=shape)
            self._mapped = mapped[sample or 0] if stored_apart else mapped

    def _check(
        self, page: tifffile.TiffPage | tifffile.TiffFrame, wanted: int, side: tuple[int, int]
    ) -> None:
        key = cast(tifffile.TiffPage, page.keyframe)
        if min(len(self._offsets), len(self._counts)) < wanted:
            raise UnusableError("lacks some of its tiles", "copy or export it again")
        if (self._offsets + self._counts > page.parent.filehandle.size).any():
            raise UnusableError("is cut off", "copy or export it again")
        segment = side[0] * side[1] * self.channels * self.dtype.itemsize
        if segment > _LARGEST and not key.is_memmappable:
            raise UnusableError(
                f"is compressed in pieces of {segment / 2**30:.1f} GB",
                "save it again as a tiled TIFF",
            )

    def _in_one_piece(self, shape: tuple[int, ...]) -> bool:
        whole = int(np.prod(shape)) * self.dtype.itemsize
        ends = self._offsets + self._counts
        return bool((ends[:-1] == self._offsets[1:]).all()) and self._counts.sum() == whole

    @property
    def block(self) -> tuple[int, int]:
        """Height and width of what is read in one go."""
        return self._blocks.side if self._mapped is None else (1, self.shape[1])

    def read(self, y: int, x: int, out: np.ndarray) -> None:
        """Copy the pixels at ``y``, ``x`` into ``out`` (height, width, channel)."""
        height, width = out.shape[:2]
        if self._mapped is not None:
            out[...] = self._mapped[y : y + height, x : x + width, : out.shape[2]]
        else:
            self._blocks.read(y, x, out)

    def _segment(self, row: int, column: int) -> np.ndarray | None:
        index = self._first + row * self._across + column
        if self._counts[index] == 0:  # a tile that was left out: bare glass
            return None
        with self._file.lock:
            self._file.seek(int(self._offsets[index]))
            data = self._file.read(int(self._counts[index]))
        return self._decoded(data, index)

    def _decoded(self, data: bytes, index: int) -> np.ndarray:
        if len(data) < self._counts[index]:
            raise UnusableError("is cut off")
        # libjpeg fills what is missing with grey and does not complain.
        if self._ends and not data.endswith(b"\xff\xd9") and not has_jpeg_end(data):
            raise UnusableError("the JPEG of a tile has no end")
        decoded = cast(np.ndarray, self._decode(data, index, **self._options)[0])
        pixels = decoded[0].astype(self.dtype, copy=False)
        return ycbcr_to_rgb(pixels) if self._ycbcr and pixels.shape[-1] == 3 else pixels
