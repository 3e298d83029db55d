"""What the file of any maker of microscopes is to us: scenes, read plane by plane."""

from __future__ import annotations

import re
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_patchmap.patches.latest import Latest
from napari_patchmap.patches.names import printable
from napari_patchmap.patches.patchset import Skipped

#: Top, left, height and width of a part of a plane, in pixels.
PlanePart = tuple[int, int, int, int]

#: Bytes of whole planes that are kept where a file cannot be read box by box.
_KEPT = 2**28

#: What names of scenes must not hold: they stand behind the file's name in paths.
_NO_NAME = re.compile(r'[/\\:*?"<>|\x00-\x1f]+')


@dataclass(frozen=True)
class Scene:
    """One image of a file: what its maker calls a scene, a position or a series.

    Parameters
    ----------
    name : str
        No other scene of the file has it.
    axes : str
        One letter an axis. Y and X are the last but S (red, green, blue); C are channels, all
        others number planes and are longer than 1.
    shape : tuple of int
    dtype : numpy.dtype
    channel_names : tuple of str
        Empty if the file does not say them.
    mpp : float, optional
        Micrometres per pixel, where height and width agree.
    downsamples : tuple of float
        Of the smaller copies that the file holds, with 1 for the image itself.
    """

    name: str
    axes: str
    shape: tuple[int, ...]
    dtype: np.dtype
    channel_names: tuple[str, ...] = ()
    mpp: float | None = None
    downsamples: tuple[float, ...] = (1.0,)

    @property
    def lengths(self) -> dict[str, int]:
        """How long each axis is."""
        return dict(zip(self.axes, self.shape, strict=True))

    @property
    def channels(self) -> int:
        """Number of channels of a plane; of colour images three."""
        return self.lengths.get("S", self.lengths.get("C", 1))

    @property
    def lead(self) -> str:
        """The axes that number planes."""
        own = "S" if "S" in self.axes else "C"
        return "".join(axis for axis in self.axes if axis not in ("Y", "X", own))


class MicroscopeFile(ABC):
    """An open file; pixels are read when they are wanted.

    Safe to be read from several threads at once. It is closed when it goes.

    Attributes
    ----------
    path : Path
    scenes : list of Scene
    left_out : list of Skipped
        Scenes that cannot be read, with the reason.
    """

    scenes: list[Scene]

    def __init__(self, path: Path) -> None:
        self.path, self.left_out = path, list[Skipped]()
        self._lock = threading.Lock()

    @abstractmethod
    def read(
        self,
        number: int,
        at: Mapping[str, int],
        box: PlanePart | None = None,
        downsample: float = 1,
    ) -> np.ndarray:
        """Return a plane of a scene, or a part of it, as ``(height, width, channel)``.

        Parameters
        ----------
        number : int
            Index in :attr:`scenes`.
        at : mapping
            The place along each axis that numbers planes.
        box : tuple of int, optional
            In pixels of the copy that is read.
        downsample : float
            One of the scene's.
        """

    @abstractmethod
    def lacks(self, number: int, at: Mapping[str, int], channel: int) -> bool:
        """Whether the file does not hold a channel of a plane; no pixels are read.

        Only this tells it from a black one: for what is missing, readers give zeros.

        Parameters
        ----------
        number : int
            Index in :attr:`scenes`.
        at : mapping
            The place along each axis that numbers planes.
        channel : int
            The place along C; 0 without that axis.
        """


class WholePlanes(MicroscopeFile):
    """A file of which planes are read as a whole; parts are cut out of those read last."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._planes: Latest[np.ndarray] = Latest(_KEPT, lambda plane: plane.nbytes)

    @abstractmethod
    def _plane(self, number: int, at: Mapping[str, int]) -> np.ndarray:
        """Read a plane of a scene as ``(height, width, channel)``, in an array of its own."""

    def read(
        self,
        number: int,
        at: Mapping[str, int],
        box: PlanePart | None = None,
        downsample: float = 1,
    ) -> np.ndarray:
        """Return a plane of a scene, or a part of it."""

        def make() -> np.ndarray:
            with self._lock:
                return self._plane(number, at)

        if box is None:
            return make()
        plane = self._planes.get((number, *sorted(at.items())), make)
        y, x, height, width = box
        return plane[y : y + height, x : x + width]


class SceneArray:
    """A scene as an array that is read when it is indexed, with numbers and slices."""

    def __init__(self, file: MicroscopeFile, number: int) -> None:
        self._file, self._number = file, number
        self.scene = scene = file.scenes[number]
        self.shape, self.ndim, self.dtype = scene.shape, len(scene.shape), scene.dtype
        self.chunks = tuple(
            1 if axis in scene.lead else length for axis, length in scene.lengths.items()
        )

    def __getitem__(self, key: Any) -> np.ndarray:
        scene = self.scene
        keys = dict(zip(scene.axes, key if isinstance(key, tuple) else (key,), strict=False))
        whole = {axis: np.arange(length) for axis, length in scene.lengths.items()}
        wanted = {axis: places[keys.get(axis, slice(None))] for axis, places in whole.items()}
        rows, columns = wanted["Y"], wanted["X"]
        box = None
        if len(rows) < scene.lengths["Y"] or len(columns) < scene.lengths["X"]:
            box = (int(rows[0]), int(columns[0]), len(rows), len(columns))
        lead = [np.atleast_1d(wanted[axis]) for axis in scene.lead]
        counts = tuple(len(places) for places in lead)
        planes = np.empty((*counts, len(rows), len(columns), scene.channels), scene.dtype)
        for place in np.ndindex(*counts):
            at = {
                axis: int(places[k])
                for axis, places, k in zip(scene.lead, lead, place, strict=True)
            }
            planes[place] = self._plane(at, box)
        own = "S" if "S" in scene.axes else "C"
        read = scene.lead + "YX" + own
        if own in scene.axes:
            planes = planes[..., np.atleast_1d(wanted[own])]
            order = scene.axes
        else:
            planes, read, order = planes[..., 0], read[:-1], scene.axes
        planes = planes.transpose([read.index(axis) for axis in order])
        single = tuple(0 if np.ndim(wanted[axis]) == 0 else slice(None) for axis in order)
        return planes[single]

    def missing(self) -> np.ndarray:
        """Return which planes the file does not hold; Y, X and S have length 1."""
        scene = self.scene
        counts = [1 if axis in "YXS" else length for axis, length in scene.lengths.items()]
        found = np.zeros(counts, bool)
        for place in np.ndindex(*counts):
            at = dict(zip(scene.axes, place, strict=True))
            lead = {axis: at[axis] for axis in scene.lead}
            found[place] = self._file.lacks(self._number, lead, at.get("C", 0))
        return found

    def _plane(self, at: Mapping[str, int], box: PlanePart | None) -> np.ndarray:
        return self._file.read(self._number, at, box)


def scene_names(said: Sequence[str]) -> list[str]:
    """Return names of scenes as they can stand in a path, each once."""
    plain = [_NO_NAME.sub("_", printable(name)).strip(" .") for name in said]
    plain = [name or f"Image {k}" for k, name in enumerate(plain, 1)]
    counts, seen = Counter(plain), Counter[str]()
    for k, name in enumerate(plain):
        if counts[name] > 1:
            seen[name] += 1
            plain[k] = f"{name} ({seen[name]})"
    return plain


def square_mpp(height: float, width: float) -> float | None:
    """Return the micrometres that a pixel spans, if both sides agree and are known."""
    good = 0 < width < np.inf and abs(height / width - 1) < 0.02
    return float(width) if good else None
