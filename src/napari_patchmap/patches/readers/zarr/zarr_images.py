"""Images in a Zarr array, and the files that its chunks are kept in."""

from __future__ import annotations

import itertools
import math
import os
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from napari_patchmap.patches.axes import lead_axes
from napari_patchmap.patches.readers.chunked import ChunkedImages
from napari_patchmap.patches.watch import Watch

#: Files or chunks looked at between two reports of progress.
_PART = 4096


class ZarrImages(ChunkedImages):
    """Images in a Zarr array; a chunk is called by the name of its file."""

    def _called(self, at: tuple[int, ...]) -> str:
        outer = self._array.shards or self._array.chunks
        coords = tuple(
            k * c // o for k, c, o in zip(at, self._array.chunks, outer, strict=True)
        )
        return str(self._array.metadata.encode_chunk_key(coords))


def chunk_files(path: Path, array: Any, watch: Watch) -> dict[str, Path]:
    """List the files of an array by their names in it."""
    if path.is_file():
        with zipfile.ZipFile(path) as file:
            prefix = f"{array.path}/" if array.path else ""
            names = [name for name in file.namelist() if name.startswith(prefix)]
        return {name.removeprefix(prefix): path for name in names}
    root = path / array.path
    files: dict[str, Path] = {}
    for folder, _, names in os.walk(root):
        inside = Path(folder).relative_to(root).as_posix()
        for name in names:
            key = name if inside == "." else f"{inside}/{name}"
            files[key] = Path(folder, name)
            if len(files) % _PART == 0:
                watch.step(0, 0)
        watch.step(0, 0)
    return files


def missing_chunks(
    array: Any, axes: str, files: Collection[str], watch: Watch
) -> tuple[dict[int, str], int]:
    """Say why images are not whole (the first chunk that each lacks), and how many are blank.

    A blank one has no chunk at all.
    """
    outer = array.shards or array.chunks
    lead = lead_axes(axes)
    counts = [array.shape[i] for i in lead]
    numbers = np.arange(math.prod(counts)).reshape(counts)
    grid = [range(math.ceil(n / c)) for n, c in zip(array.shape, outer, strict=True)]
    reasons: dict[int, str] = {}
    some = np.zeros(numbers.shape, bool)
    for done, at in enumerate(itertools.product(*grid)):
        if done % _PART == 0:
            watch.step(0, 0)
        key = array.metadata.encode_chunk_key(at)
        place = tuple(slice(at[i] * outer[i], (at[i] + 1) * outer[i]) for i in lead)
        if key in files:
            some[place] = True
            continue
        for number in np.ravel(numbers[place]).tolist():
            reasons.setdefault(number, f"its chunk {key} is missing")
    return reasons, int(np.count_nonzero(~some))
