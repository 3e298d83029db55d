"""Whole slides in DICOM: the files of a series, each a level cut into frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from napari_patchmap.errors import UnusableError
from napari_patchmap.optional import is_there
from napari_patchmap.patches.axes import GREY, RGB
from napari_patchmap.patches.readers.dicom.dicom_file import (
    DicomHead,
    dicom_files,
    frame_of,
    heads_of,
)
from napari_patchmap.patches.readers.slides.levels import whole_ratio
from napari_patchmap.patches.readers.slides.metadata import objective
from napari_patchmap.patches.readers.slides.pyramid import Level, Pyramid
from napari_patchmap.patches.readers.slides.stored_blocks import Blocks


class DicomSlide(Pyramid):
    """A whole slide; its frames are decoded when they are wanted.

    Parameters
    ----------
    path : Path
        The folder of the files of its levels, or one of them: all of its series in that
        folder are taken.

    Raises
    ------
    UnusableError
        If there is no slide, or its frames do not cover it in order.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        folder = path if path.is_dir() else path.parent
        heads = [head for _, head in heads_of(dicom_files(folder) or [path])]
        slides = [one for one in heads if isinstance(one, DicomHead) and one.is_slide]
        wanted = [one for one in slides if path.is_dir() or one.path == path]
        if not wanted:
            raise UnusableError("holds no whole slide", "open it without settings for tiles")
        series = {one.series for one in wanted}
        if len(series) > 1:
            raise UnusableError(
                f"holds {len(series)} slides", f"choose a file of one, such as {wanted[0].path}"
            )
        levels = [one for one in slides if one.series in series and one.kind == "VOLUME"]
        levels.sort(key=lambda one: -_matrix(one)[0] * _matrix(one)[1])
        if not levels:
            raise UnusableError("holds the label or overview of a slide only")
        first = levels[0]
        self._levels = [one for one in levels if one.channels == first.channels]
        for one in self._levels:
            if one.frames != _across(one) * -(-_matrix(one)[0] // one.height):
                raise UnusableError(
                    f"has {one.frames:,} frames in {one.path.name}, which do not cover it one "
                    "beside the other",
                    "export it as TILED_FULL, with one focal plane and one optical path",
                )
        height, width = _matrix(first)
        self.levels = [
            Level(h, w, whole_ratio(height / h, width / w))
            for h, w in map(_matrix, self._levels)
        ]
        self.dtype, self.channels = first.dtype, first.channels
        self.channel_names = RGB if first.channels == 3 else GREY
        self.mpp = first.mpp
        self.magnification = None if first.mpp is None else objective(first.mpp)
        self.derived = first.mpp is not None
        self._blocks = [Blocks((one.height, one.width), _decoder(one)) for one in self._levels]

    @property
    def files(self) -> list[tuple[str, Path]]:
        """The files of its levels."""
        return [(one.path.name, one.path) for one in self._levels]

    def _fill(self, level: int, y: int, x: int, out: np.ndarray) -> None:
        self._blocks[level].read(y, x, out)


def is_dicom_slide(path: Path) -> bool:
    """Whether a path is a whole slide in DICOM: a file of it, or the folder of its files."""
    files = dicom_files(path)
    if not files or not is_there("pydicom"):
        return False
    head = next(head for _, head in heads_of(files[:1]))
    return isinstance(head, DicomHead) and head.is_slide


def _matrix(head: DicomHead) -> tuple[int, int]:
    assert head.matrix is not None
    return head.matrix


def _across(head: DicomHead) -> int:
    return -(-_matrix(head)[1] // head.width)


def _decoder(head: DicomHead) -> Callable[[int, int], np.ndarray]:
    return lambda row, column: frame_of(head, row * _across(head) + column)
