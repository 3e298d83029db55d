"""Nikon ND2, through nd2; each position is a scene."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from napari_patchmap.errors import UnusableError
from napari_patchmap.optional import optional
from napari_patchmap.patches.axes import RGB
from napari_patchmap.patches.readers.microscope.microscope_file import (
    Scene,
    WholePlanes,
    scene_names,
    square_mpp,
)

nd2 = optional("nd2", extra="formats")

#: What the loops of an experiment are called as axes; positions become scenes.
_LOOPS = {"TimeLoop": "T", "NETimeLoop": "T", "ZStackLoop": "Z", "XYPosLoop": "P"}

#: Bytes before the pixels of a frame.
_HEAD = 4096


class Nd2File(WholePlanes):
    """An ND2 file.

    Raises
    ------
    MissingPackageError
        Without nd2.
    UnusableError, or anything that nd2 raises
        If it is damaged, or of a kind that is not read.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        file = self._file = nd2.ND2File(str(path))
        weakref.finalize(self, file.close)
        self._bytes = path.stat().st_size
        # nd2 has no other name for it; of an old file it raises an error for a missing frame.
        reader = None if file.is_legacy else getattr(file, "_rdr", None)
        self._chunks: Mapping[bytes, tuple[int, int]] | None = getattr(reader, "chunkmap", None)
        loops = [(_LOOPS.get(one.type, ""), int(one.count)) for one in file.experiment]
        axes = "".join(axis for axis, _ in loops)
        if len(axes) < len(loops) or len(set(axes)) < len(axes):
            kinds = ", ".join(one.type for one in file.experiment)
            raise UnusableError(f"holds loops that are not read ({kinds})", "export it as TIFF")
        self._loops = dict(loops)
        known = file.attributes
        packed = known.compressionType is not None
        #: Bytes that a frame takes; of one that is packed, the least.
        self._stored = _HEAD + (0 if packed else (known.widthBytes or 0) * known.heightPx)
        frames = int(np.prod([*self._loops.values()], dtype=np.int64))
        if frames == 1 and known.sequenceCount > 1:  # recorded without an experiment
            self._loops = {"T": int(known.sequenceCount)}
        self._colours = file.components_per_channel == 3
        count = int(known.channelCount or 1) if self._colours else int(known.componentCount)
        lengths = self._loops | {"C": count, "Y": known.heightPx, "X": known.widthPx, "S": 3}
        lead = "".join(axis for axis, n in self._loops.items() if n > 1 and axis != "P")
        axes = lead + ("C" if count > 1 else "") + "YX" + ("S" if self._colours else "")
        planes = list(getattr(file.metadata, "channels", None) or ())  # old files have a dict
        said = tuple(one.channel.name for one in planes)
        named = len(said) == count == len(set(said) - {""})
        names = RGB if self._colours else said if named and count > 1 else ()
        shape = tuple(int(lengths[axis]) for axis in axes)
        size = file.voxel_size()
        known_size = not planes or planes[0].volume.axesCalibrated[0]
        mpp = square_mpp(size.y, size.x) if known_size else None
        self.scenes = [
            Scene(name, axes, shape, np.dtype(file.dtype), names, mpp)
            for name in scene_names(self._positions())
        ]

    def _positions(self) -> list[str]:
        count = self._loops.get("P", 1)
        loop = next((one for one in self._file.experiment if one.type == "XYPosLoop"), None)
        points = [] if loop is None else [one.name for one in loop.parameters.points]
        points += [None] * (count - len(points))
        return [name or f"Position {k}" for k, name in enumerate(points[:count], 1)]

    def lacks(self, number: int, at: Mapping[str, int], channel: int) -> bool:
        """Whether the file's list of frames, which have all channels, has not this one."""
        if self._chunks is None:
            return False
        known = self._chunks.get(b"ImageDataSeq|%d!" % self._frame(number, at))
        return known is None or known[0] + self._stored > self._bytes

    def _frame(self, number: int, at: Mapping[str, int]) -> int:
        places = [{"P": number, **at}.get(axis, 0) for axis in self._loops]
        counts = list(self._loops.values())
        return int(np.ravel_multi_index(places, counts)) if counts else 0

    def _plane(self, number: int, at: Mapping[str, int]) -> np.ndarray:
        frame, scene = self._frame(number, at), self.scenes[number]
        size = scene.lengths["Y"], scene.lengths["X"]
        pixels = self._file.read_frame(frame)  # channel, Y, X, component, without those of 1
        pixels = pixels.reshape(self._file.attributes.channelCount or 1, *size, -1)
        if self._colours:
            # nd2 leaves components as they are stored: blue, green, red.
            return np.array(pixels[at.get("C", 0), ..., ::-1])
        return np.array(pixels.transpose(1, 2, 0, 3).reshape(*size, -1))
