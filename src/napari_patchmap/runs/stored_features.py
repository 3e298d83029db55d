"""The features of a saved run, which stay in their file until somebody asks for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_patchmap.errors import RunError


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
        self._state = _state_of(path)
        # Mapped, its size is checked, too; let go at once, or Windows could not replace it.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        if len(array) != count:
            raise ValueError(f"{path.name} has {len(array):,} rows, not {count:,}")
        self.shape = (count if rows is None else len(rows), *array.shape[1:])

    def read(self) -> np.ndarray:
        """Return the features.

        Raises
        ------
        RunError
            If the file is another one by now, or cannot be read.
        """
        try:
            if _state_of(self._path) == self._state:
                array = np.load(self._path, allow_pickle=False)
                return array if self._rows is None else array[self._rows]
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
        if isinstance(held, StoredFeatures):
            held = vars(run)["features"] = held.read()
        return held

    def __set__(self, run: Any, features: np.ndarray | StoredFeatures) -> None:
        vars(run)["features"] = features
