"""Which patches the gallery shows, so that nothing jumps when one of them is let go."""

from __future__ import annotations

import numpy as np

#: How many selections are remembered that were made of what is shown.
_DEPTH = 100


class KeptView:
    """What is shown: a selection that came from elsewhere, until another one comes.

    What people take away in the gallery, or undo there, does not change it.

    Attributes
    ----------
    indices : ndarray of intp
        The patches that are shown, not sorted.
    of_selection : bool
        Whether they were selected, or handed over, rather than all there are.
    said : str
        What they are if they were handed over, "" otherwise.
    """

    def __init__(self) -> None:
        self.indices = np.empty(0, np.intp)
        self.of_selection = False
        self.said = ""
        self._seen: list[np.ndarray] = []

    def follow(self, selection: np.ndarray, all_patches: np.ndarray) -> None:
        """Show a selection, or all patches when it is empty."""
        self.of_selection, self.said = len(selection) > 0, ""
        self.indices = selection if self.of_selection else all_patches
        self._seen = [selection]

    def keep(self, indices: np.ndarray, said: str, selection: np.ndarray) -> None:
        """Show patches that somebody hands over, while this is selected."""
        self.indices, self.of_selection, self.said = indices, True, said
        self._seen = [selection]

    def note(self, selection: np.ndarray) -> None:
        """Remember a selection that was made of what is shown."""
        self._seen = [*self._seen, selection][-_DEPTH:]

    def knows(self, selection: np.ndarray) -> bool:
        """Whether a selection is one of those, which come back by undo and redo.

        Not an empty one beside patches that were selected: Esc leads back to all of them.
        """
        if self.of_selection and not len(selection):
            return False
        return any(np.array_equal(selection, one) for one in self._seen)
