"""Steps that can be undone: what was selected and annotated, one state after another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

S = TypeVar("S")

#: How many steps can be undone, and how many patches all of them together may hold.
_DEPTH, _PATCHES = 100, 20_000_000


class History(Generic[S]):
    """The present state, and those before and after it.

    States are values that are never changed; parts that two have in common are shared.

    Parameters
    ----------
    start : S
        The first state.
    size : int
        Patches that a state may speak of; of very many fewer steps are kept.

    Examples
    --------
    >>> history = History("nothing")
    >>> history.go_to("a selection")
    >>> history.undo()
    True
    >>> history.now
    'nothing'
    """

    def __init__(self, start: S, size: int = 0) -> None:
        self.now = start
        self._past: list[S] = []
        self._future: list[S] = []
        self._depth = max(10, min(_DEPTH, _PATCHES // max(size, 1)))

    def go_to(self, state: S) -> None:
        """Make a step that can be undone."""
        self._past = [*self._past, self.now][-self._depth :]
        self._future = []
        self.now = state

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

    def amend(self, change: Callable[[S], S]) -> None:
        """Change all states there are: something was found that holds for all of them."""
        self.now = change(self.now)
        self._past = [change(state) for state in self._past]
        self._future = [change(state) for state in self._future]

    def _step(self, source: list[S], target: list[S]) -> bool:
        if not source:
            return False
        target.append(self.now)
        self.now = source.pop()
        return True
