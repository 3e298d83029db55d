"""Selections with names: kept, combined, renamed and deleted; a change gives another value."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from napari_patchmap.errors import AnnotationError
from napari_patchmap.explore.given_names import comparable, proper_name

#: The file that they are kept in, beside annotations.
SELECTIONS = "selections.json"

Combination = Literal["and", "or", "not"]

_WAYS: dict[Combination, Callable[..., np.ndarray]] = {
    "and": np.intersect1d,
    "or": np.union1d,
    "not": np.setdiff1d,
}


@dataclass(frozen=True, eq=False)
class NamedSelection:
    """Some patches and what a person calls them.

    Parameters
    ----------
    name : str
    indices : ndarray of intp, shape (m,)
        Patches that are here, ascending.
    key : int
        Stays when the name or the patches are changed, and is no other's.
    """

    name: str
    indices: np.ndarray
    key: int = field(default_factory=itertools.count().__next__)


@dataclass(frozen=True, eq=False)
class NamedSelections:
    """The selections of a patch set that are kept, in the order in which they were made.

    Parameters
    ----------
    kept : tuple of NamedSelection

    Examples
    --------
    >>> import numpy as np
    >>> found = NamedSelections().keep("mitoses", np.array([7, 2]))
    >>> found.by_name["mitoses"].indices.tolist()
    [2, 7]
    """

    kept: tuple[NamedSelection, ...] = ()
    by_name: Mapping[str, NamedSelection] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {one.name: one for one in self.kept})

    @property
    def empty(self) -> bool:
        """Whether there is nothing that would be worth keeping."""
        return not self.kept

    def keep(self, name: str, indices: np.ndarray) -> NamedSelections:
        """Keep patches under a new name.

        Parameters
        ----------
        name : str
        indices : ndarray of int

        Raises
        ------
        AnnotationError
            If the name is empty, too long, taken, or means something else in a run, or
            there are no patches.
        """
        return replace(
            self, kept=(*self.kept, NamedSelection(self._free(name), _some(indices)))
        )

    def changed(self, name: str, indices: np.ndarray) -> NamedSelections:
        """Keep other patches under a name that there is; errors if there are none."""
        return self._put(replace(self.by_name[name], indices=_some(indices)))

    def renamed(self, name: str, to: str) -> NamedSelections:
        """Give a selection another name, in its place; errors as for a new one."""
        if name == to:
            return self
        return self._put(replace(self.by_name[name], name=self._free(to, but=name)))

    def without(self, name: str) -> NamedSelections:
        """Forget a selection."""
        return replace(self, kept=tuple(one for one in self.kept if one.name != name))

    def _put(self, changed: NamedSelection) -> NamedSelections:
        kept = (changed if one.key == changed.key else one for one in self.kept)
        return replace(self, kept=tuple(kept))

    def _free(self, name: str, but: str = "") -> str:
        name = proper_name(name, "selection")
        for one in self.by_name:
            if one != but and comparable(one) == comparable(name):
                raise AnnotationError(
                    f"There is a selection {one} already; choose another name, or put these "
                    "patches in its place."
                )
        return name


def combined(first: np.ndarray, how: Combination, other: np.ndarray) -> np.ndarray:
    """Return the indices in both ("and"), in one ("or"), in the first alone ("not")."""
    return _WAYS[how](first, other).astype(np.intp)


def _some(indices: np.ndarray) -> np.ndarray:
    if not len(indices):
        raise AnnotationError("No patches are selected; select some to keep them by a name.")
    return np.unique(np.asarray(indices, np.intp))
