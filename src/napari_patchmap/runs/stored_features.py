"""The features of a saved run, which stay in their file until somebody asks for them."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from napari_patchmap.errors import RunError

#: Features of at most so many bytes stay in memory once they were read. What takes more is let
#: go when nobody works with it any more, and read again the next time: in a second or so.
_KEPT = 2**27


class StoredFeatures:
    """A file of features that is there and whole, and has not been read yet.

    Of a million patches they take half a gigabyte and a second, and whoever looks at a map
    needs none of them.

    Parameters
    ----------
    path : Path
        A ``.npy`` file, shape (count, d).
    count : int
    rows : ndarray of int, optional
        Which of its rows are wanted, in this order.

    Raises
    ------
    ValueError, OSError
        If it is no such file, or not whole.
    """

    def __init__(self, path: Path, count: int, rows: np.ndarray | None = None) -> None:
        self._path, self._rows = path, rows
        self._used: Callable[[], np.ndarray | None] = lambda: None
        self._state = _state_of(path)
        # Mapped, its size is checked, too; let go at once, or Windows could not replace it.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        if len(array) != count:
            raise ValueError(f"{path.name} has {len(array):,} rows, not {count:,}")
        self.shape = (count if rows is None else len(rows), *array.shape[1:])

    def read(self) -> np.ndarray:
        """Return the features; the same array as long as somebody has it.

        Raises
        ------
        RunError
            If the file is another one by now, or cannot be read.
        """
        array = self._used()
        if array is None:
            array = self._read()
            self._used = weakref.ref(array)
        return array

    def _read(self) -> np.ndarray:
        try:
            if _state_of(self._path) == self._state:
                whole = np.load(self._path, allow_pickle=False)
                array: np.ndarray = whole if self._rows is None else whole[self._rows]
                return array
        except (OSError, ValueError) as error:
            raise RunError(
                f"{self._path} cannot be read ({error}); bring it back, and open the run again."
            ) from None
        raise RunError(
            f"{self._path} is not what it was when the run was opened; open the run again."
        )


def _state_of(path: Path) -> tuple[int, ...]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ino


class ReadWhenAsked:
    """The field of a run for its features, in memory or :class:`StoredFeatures`."""

    def __get__(self, run: Any, _: Any) -> np.ndarray | ReadWhenAsked:
        if run is None:
            return self
        held: np.ndarray | StoredFeatures = vars(run)["features"]
        if not isinstance(held, StoredFeatures):
            return held
        features = held.read()
        if features.nbytes <= _KEPT:
            vars(run)["features"] = features
        return features

    def __set__(self, run: Any, features: np.ndarray | StoredFeatures) -> None:
        vars(run)["features"] = features
