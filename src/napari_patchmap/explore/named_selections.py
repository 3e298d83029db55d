"""Selections with names: kept, combined, and written beside the map that they are of."""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_patchmap.errors import PatchmapError
from napari_patchmap.explore.index_ranges import as_ranges, from_ranges
from napari_patchmap.writing import write_json

#: The file in a run folder, and letters that a name may have.
SELECTIONS, LONGEST_NAME = "selections.json", 100

Combination = Literal["and", "or", "not"]


class SelectionError(PatchmapError):
    """A named selection that cannot be made, found or written."""


class NamedSelections:
    """The named selections of a patch set, in the order in which they were made.

    What goes in and comes out counts the patches that are here now. What is kept counts the
    patches of the run, so that those whose images are missing today stay in their selections.

    Parameters
    ----------
    count : int
        Patches of the run.
    rows : ndarray of int, shape (n,), optional
        Which patch of the run each patch is that is here; all of them when not given.

    Attributes
    ----------
    notes : tuple of str
        What was noticed when they were read, in sentences.
    """

    def __init__(self, count: int, rows: np.ndarray | None = None) -> None:
        self._count = count
        self._rows = np.arange(count) if rows is None else np.asarray(rows, np.intp)
        self._here = np.full(count, -1, np.intp)
        self._here[self._rows] = np.arange(len(self._rows))
        self._kept: dict[str, np.ndarray] = {}
        self._unplaced: dict[str, Any] = {}
        self._aside = False
        self.notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, name: str) -> bool:
        return name in self._kept

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in the order in which they were made."""
        return tuple(self._kept)

    def indices(self, name: str) -> np.ndarray:
        """Return the patches of a selection that are here: intp ``(m,)``, ascending."""
        here = self._here[self._of_run(name)]
        return np.sort(here[here >= 0])

    def missing(self, name: str) -> int:
        """Count the patches of a selection that are not here today."""
        return int((self._here[self._of_run(name)] < 0).sum())

    def keep(self, name: str, indices: np.ndarray, *, replace: bool = False) -> str:
        """Keep patches under a name; return it as it is kept, without blanks around it.

        Parameters
        ----------
        name : str
        indices : ndarray of int
            Patches that are here.
        replace : bool
            Take the place of the selection of that name, if there is one. Its patches that
            are missing today stay in it: nobody has seen them.

        Raises
        ------
        SelectionError
            If the name is empty, too long or taken, or there are no patches.
        """
        plain = _plain(name)
        if replace and plain in self._kept:
            before = self._kept[plain]
            unseen = before[self._here[before] < 0]
        else:
            plain, unseen = self._checked(name), np.empty(0, np.intp)
        chosen = self._rows[np.asarray(indices, np.intp)]
        if not len(chosen):
            raise SelectionError("No patches are selected; select some to keep them by a name.")
        self._kept[plain] = np.union1d(chosen, unseen)
        return plain

    def rename(self, name: str, to: str) -> str:
        """Give a selection another name, in its place; return it as it is kept.

        Raises
        ------
        SelectionError
            If there is no such selection, or the new name is empty, too long or taken.
        """
        self._of_run(name)
        plain = self._checked(to, but=name)
        self._kept = {plain if one == name else one: of for one, of in self._kept.items()}
        return plain

    def delete(self, name: str) -> None:
        """Forget a selection.

        Raises
        ------
        SelectionError
            If there is none of that name.
        """
        self._of_run(name)
        del self._kept[name]

    def combined(self, name: str, how: Combination, other: str) -> np.ndarray:
        """Return the patches of two selections, of those that are here.

        Parameters
        ----------
        name, other : str
        how : {"and", "or", "not"}
            In both; in one of them; in the first and not in the other.

        Returns
        -------
        ndarray of intp, shape (m,)
            Ascending.
        """
        return combined(self.indices(name), how, self.indices(other))

    def inverted(self, name: str) -> np.ndarray:
        """Return the patches that are here and not in a selection, ascending."""
        return np.setdiff1d(np.arange(len(self._rows)), self.indices(name))

    def _of_run(self, name: str) -> np.ndarray:
        if name not in self._kept:
            there = ", ".join(self._kept) or "none yet"
            raise SelectionError(
                f"There is no selection {_short(name)!r}; choose one of {_short(there)}."
            )
        return self._kept[name]

    def _checked(self, name: str, but: str = "") -> str:
        """Return a new name as it is kept; ``but`` is a name that gives way to it."""
        plain = _plain(name)
        if not plain:
            raise SelectionError("The selection needs a name; type one.")
        if len(plain) > LONGEST_NAME:
            raise SelectionError(
                f"The name has {len(plain):,} letters ({_short(plain)}); choose one of at most "
                f"{LONGEST_NAME}."
            )
        if not plain.isprintable():
            raise SelectionError(
                f"The name {_short(plain)!r} has letters that cannot be shown; type it again."
            )
        taken = {one.casefold(): one for one in (*self._kept, *self._unplaced) if one != but}
        if plain.casefold() in taken:
            raise SelectionError(
                f"There is a selection {taken[plain.casefold()]!r} already; choose another "
                "name, or replace it."
            )
        return plain

    # -- the file ----------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write them as JSON, as a whole file or none.

        What was read and could not be placed is written back. A file that could not be read
        is kept beside it under another name.

        Raises
        ------
        SelectionError
            If the file cannot be written.
        """
        path = Path(path)
        try:
            if self._aside and path.exists():
                os.replace(path, _free(path))
            kept = {name: as_ranges(of) for name, of in self._kept.items()}
            values = {"patches": self._count, "selections": kept | self._unplaced}
            write_json(path, values)
        except OSError as error:
            raise SelectionError(
                f"{path} cannot be written ({error.strerror or error}); the selections are "
                "still in this window, save them in another place."
            ) from None
        self._aside = False

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], count: int, rows: np.ndarray | None = None
    ) -> NamedSelections:
        """Read what :meth:`save` wrote; a file that is not there holds none.

        What is wrong with the file is told in ``notes`` and costs no other selection.

        Parameters
        ----------
        path : path
        count, rows
            See :class:`NamedSelections`.
        """
        path, found = Path(path), cls(count, rows)
        try:
            values = json.loads(path.read_text("utf-8"))
            of, kept = int(values["patches"]), dict(values["selections"])
        except FileNotFoundError:
            return found
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            why = getattr(error, "strerror", None) or "it is damaged"
            return found._left(path, f"cannot be read ({why})")
        if of != count:
            return found._left(path, f"is of {of:,} patches, not of these {count:,}")
        for name, ranges in kept.items():
            try:
                found._kept[name] = from_ranges(ranges, count)
            except ValueError as error:
                found._unplaced[name] = ranges
                note = (
                    f"The selection {_short(name)!r} in {path} {error}; it is not shown, and "
                    "stays in the file as it is: correct it there."
                )
                found.notes = (*found.notes, note)
        return found

    def _left(self, path: Path, why: str) -> NamedSelections:
        self._aside = True
        note = (
            f"{path} {why}; its selections are not shown. When others are kept, it stays "
            f"there as {_free(path).name}: restore it, or remove it."
        )
        self.notes = (note,)
        return self


def combined(first: np.ndarray, how: Combination, other: np.ndarray) -> np.ndarray:
    """Return the indices in both ("and"), in one ("or"), in the first alone ("not")."""
    ways: dict[str, Callable[..., np.ndarray]] = {
        "and": np.intersect1d,
        "or": np.union1d,
        "not": np.setdiff1d,
    }
    return ways[how](first, other).astype(np.intp)


def shares(codes: np.ndarray, indices: np.ndarray, names: Sequence[str]) -> list[str]:
    """Say how many patches of each class are in a selection, such as "47 of 412".

    Parameters
    ----------
    codes : ndarray of int, shape (n,)
        Class of each patch; -1 where it has none.
    indices : ndarray of int
        The selection.
    names : sequence of str
        The classes.
    """
    inside, everywhere = (
        np.bincount(of[of >= 0], minlength=len(names)) for of in (codes[indices], codes)
    )
    return [f"{a:,} of {b:,}" for a, b in zip(inside, everywhere, strict=True)]


def _plain(name: str) -> str:
    """Return a name as it is kept: letters made up alike, no blanks around it."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def _free(path: Path) -> Path:
    """Return a name for a file that is put aside."""
    kept, again = path.with_name(f"{path.stem} (not read){path.suffix}"), 2
    while os.path.lexists(kept):
        kept, again = path.with_name(f"{path.stem} (not read {again}){path.suffix}"), again + 1
    return kept


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
