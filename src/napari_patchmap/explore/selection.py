"""A selection of patches with undo and redo."""

from __future__ import annotations

from typing import Literal

import numpy as np

#: How many steps can be undone.
_DEPTH = 100

How = Literal["replace", "add", "subtract"]


class Selection:
    """Which patches are selected, as a sorted array of indices, with a history."""

    def __init__(self) -> None:
        self._past: list[np.ndarray] = []
        self._future: list[np.ndarray] = []
        self.indices: np.ndarray = np.empty(0, np.intp)

    def change(self, indices: np.ndarray, how: How = "replace") -> bool:
        """Replace, widen or narrow the selection; return whether it changed."""
        wanted = np.unique(np.asarray(indices, dtype=np.intp))
        if how == "add":
            wanted = np.union1d(self.indices, wanted)
        elif how == "subtract":
            wanted = np.setdiff1d(self.indices, wanted)
        if np.array_equal(wanted, self.indices):
            return False
        self._past = [*self._past, self.indices][-_DEPTH:]
        self._future = []
        self.indices = wanted
        return True

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to go back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone step."""
        return bool(self._future)

    def undo(self) -> bool:
        """Go one step back; return whether there was one."""
        return self._step(self._past, self._future)

    def redo(self) -> bool:
        """Go one step forward again; return whether there was one."""
        return self._step(self._future, self._past)

    def clear(self) -> None:
        """Forget the selection and its history (the patches are others now)."""
        self.__init__()  # type: ignore[misc]

    def _step(self, source: list[np.ndarray], target: list[np.ndarray]) -> bool:
        if not source:
            return False
        target.append(self.indices)
        self.indices = source.pop()
        return True
