"""Finds the patches of a run among others: by where they came from, and by their pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.content import content_of
from napari_patchmap.patches.names import composed
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.runs.identity import CONTENT, WHERE, places_of


@dataclass(frozen=True)
class Joined:
    """Where the patches of a run are among others; arrays of shape (n,)."""

    rows: np.ndarray
    """Which of the others each is, -1 where none is."""
    moved: np.ndarray
    """Whether it has another name or place there."""
    changed: np.ndarray
    """Whether it is known by its name only: its pixels are others than before."""
    checked: bool
    """Whether pixels could be compared at all."""


class Contents:
    """The content of some patches, looked at when it is wanted, and once.

    ``look`` returns that of some rows, as :func:`content_of` does; ``each`` are the bytes that
    looking at one reads, 0 where it is known.
    """

    #: Bytes that are read to see whether anything has changed.
    _GLANCE = 2**30

    def __init__(
        self, count: int, look: Callable[[np.ndarray], np.ndarray], each: float
    ) -> None:
        self._look, self._each = look, each
        self._known = np.zeros(count, np.uint64)
        self._seen = np.zeros(count, bool)

    @classmethod
    def of(cls, patches: PatchSet, watch: Watch = UNWATCHED) -> Contents:
        """Look at the pixels of a patch set."""
        images = patches.images
        each = images.nbytes / len(images)
        return cls(len(patches), lambda rows: content_of(images, rows, watch), each)

    @classmethod
    def known(cls, content: np.ndarray) -> Contents:
        """Take content that was noted before."""
        return cls(len(content), lambda rows: content[rows], 0.0)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Return the content of some rows, 0 where it is unknown."""
        wanted = np.zeros(len(self._seen), bool)  # of a million rows sorting takes long
        wanted[rows] = True
        new = np.flatnonzero(wanted & ~self._seen)
        self._known[new], self._seen[new] = self._look(new), True
        return self._known[rows]

    def some_of(self, chosen: np.ndarray) -> np.ndarray:
        """Return some of these, spread over them, as many as are soon looked at."""
        most = max(64, int(self._GLANCE / self._each)) if self._each else len(chosen)
        if len(chosen) <= most:
            return chosen
        return chosen[np.unique(np.linspace(0, len(chosen) - 1, most).astype(np.intp))]


def join(known: pd.DataFrame, table: pd.DataFrame, contents: Contents) -> Joined:
    """Find the patches of a run among others, each by its place and its content.

    A patch whose place holds other pixels now is looked for by its content. Where that
    is nowhere, a name of its own still counts (an image that was edited), but not a
    mere number in a stack.

    ``known`` is what :func:`identify` noted, without the column ``content`` places alone;
    ``table`` and ``contents`` are those of the others.
    """
    known = known if CONTENT in known else places_of(known)
    content = known[CONTENT].to_numpy(np.uint64)
    known, table = _one_form(known), _one_form(table)
    columns = [name for name in WHERE if name in known and name in table]
    rows = _match(known, table, columns)
    changed = _differing(rows, content, contents)
    if not changed.any() and np.array_equal(rows, np.arange(len(table))):
        # Each is where it was, as mostly: of a million patches the rest takes long.
        return Joined(rows, changed, changed, bool((content != 0).any()))
    others = _others(known, rows, changed, content)
    renamed = _renamed_stacks(known, table, columns, contents, others)
    now = known
    if renamed:
        # A name that another one has now is nobody else's.
        names = {name: f"\0{name}" for name in set(renamed.values())} | renamed
        now = known.assign(source=[names.get(name, name) for name in known["source"]])
        rows = _match(now, table, columns)
        changed = _differing(rows, content, contents)
    # Of stacks that are others now, what was not looked at is another as well.
    unsure = now["source"].isin(others - set(renamed)).to_numpy() & (content == 0)
    changed |= unsure & (rows >= 0)
    # What is not where it was is looked for by its content, first under its own file name.
    looked, placed = content != 0, rows >= 0
    lost = np.flatnonzero((~placed | changed) & looked)
    # Where some are in other places, nothing is known of what was not looked at.
    sure = placed & ~changed & (looked | ~changed.any())
    free = np.setdiff1d(np.arange(len(table)), rows[sure])
    others_there, elsewhere = changed.copy(), np.zeros(len(rows), bool)
    if len(lost) and len(free):
        wanted = _by_content(now, content[lost], lost)
        there = _by_content(table, contents(free), free)
        there = there[there[CONTENT] != 0]
        for keys in (["file", CONTENT], [CONTENT]):
            found = _match(wanted, there, keys)
            at = wanted.index.to_numpy()[found >= 0]
            rows[at] = there.index.to_numpy()[found[found >= 0]]
            changed[at], elsewhere[at] = False, others_there[at]
            wanted = wanted[found < 0]
            there = there[~there.index.isin(rows[at])]
    named = _has_a_name(known)
    # Numbers alone tell which is which as long as there are as many.
    rows[~named & ~looked & _other_number(now, table)] = -1
    rows[_beside(elsewhere | (changed & ~named), looked)] = -1
    # What took the place of another one is not that any more.
    taken = np.isin(rows, rows[(rows >= 0) & ~changed & looked])
    rows[(changed & (taken | ~named)) | (taken & ~looked)] = -1
    changed &= rows >= 0
    moved, here = np.zeros(len(rows), bool), rows >= 0
    for name in columns:
        before, after = known[name].to_numpy()[here], table[name].to_numpy()[rows[here]]
        moved[here] |= (before != after) & ~(pd.isna(before) & pd.isna(after))
    return Joined(rows, moved, changed, bool((content != 0).any()))


def _other_number(known: pd.DataFrame, table: pd.DataFrame) -> np.ndarray:
    """Say which patches are of a stack that has not as many as before, and no content."""
    several = known.groupby("source")["source"].transform("size").to_numpy()
    unknown = known[CONTENT].eq(0).groupby(known["source"]).transform("all").to_numpy()
    now = known["source"].map(table["source"].value_counts()).fillna(0).to_numpy()
    differs: np.ndarray = unknown & (several != now)
    return differs


def _beside(other: np.ndarray, looked: np.ndarray) -> np.ndarray:
    """Say what was not looked at, but the one before it or after it, which is not in place."""
    known = np.flatnonzero(looked)
    if len(known) in (0, len(looked)):
        return np.zeros(len(looked), bool)
    after = np.searchsorted(known, np.arange(len(looked)))
    before = known[np.maximum(after - 1, 0)]
    return ~looked & (other[before] | other[known[np.minimum(after, len(known) - 1)]])


def _differing(rows: np.ndarray, content: np.ndarray, contents: Contents) -> np.ndarray:
    """Say which patches have other pixels in their place; all are looked at if some have."""
    changed = np.zeros(len(rows), bool)
    there = np.flatnonzero((rows >= 0) & (content != 0))
    for chosen in (contents.some_of(there), there):
        there_now = contents(rows[chosen])
        changed[chosen] = (there_now != content[chosen]) & (there_now != 0)
        if not changed.any():
            break
    return changed


def _others(
    known: pd.DataFrame, rows: np.ndarray, changed: np.ndarray, content: np.ndarray
) -> set[str]:
    """Name the stacks whose name another one has now: most of what was looked at differs."""
    if not changed.any():
        return set()
    looked = known.assign(_=changed)[(rows >= 0) & (content != 0)]
    groups = looked.groupby("source", sort=False)["_"]
    shares, several = groups.mean(), known["source"].value_counts() > 1
    return {str(name) for name in shares.index[shares > 0.5] if several[name]}


def _renamed_stacks(
    known: pd.DataFrame,
    table: pd.DataFrame,
    columns: list[str],
    contents: Contents,
    others: set[str],
) -> dict[str, str]:
    """Find stacks, slides and images of objects that have another name now, as a whole.

    ``others`` are names that are still there, and are those of others.
    """
    there, before = set(table["source"]) - others, set(known["source"]) - others
    gone = _several(known[~known["source"].isin(there)])
    new = _several(table[~table["source"].isin(before)])
    content, within = known[CONTENT].to_numpy(np.uint64), columns[1:]
    alike: dict[bytes, list[tuple[str, np.ndarray]]] = {}
    for other, rows in new.items():
        laid_out, theirs = _laid_out(table, within, rows)
        alike.setdefault(laid_out, []).append((other, theirs))
    found: dict[str, str] = {}
    for name, rows in gone.items():
        laid_out, mine = _laid_out(known, within, rows)
        looked = np.flatnonzero(content[mine])
        for k, (other, theirs) in enumerate(alike.get(laid_out, [])):
            if len(looked):
                # The first alone, mostly: it tells that another one is meant.
                same = all(
                    np.array_equal(contents(theirs[few]), content[mine[few]])
                    for few in (looked[:1], looked[:: max(1, len(looked) // 16)])
                )
            else:  # nothing but the numbers says so
                same = len(gone) == len(new) == 1
            if same:
                found[name] = other
                del alike[laid_out][k]
                break
    return found


def _laid_out(
    table: pd.DataFrame, columns: list[str], rows: np.ndarray
) -> tuple[bytes, np.ndarray]:
    """Return what tells two layouts of patches apart, and the rows in the order of it."""
    values = table[columns].to_numpy(float)[rows]
    order = np.lexsort(values.T[::-1])
    return values[order].tobytes(), rows[order]


def _several(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the rows of each source that has more than one."""
    groups = table.groupby("source", sort=False).indices
    return {
        str(name): table.index.to_numpy()[rows]
        for name, rows in groups.items()
        if len(rows) > 1
    }


def _has_a_name(known: pd.DataFrame) -> np.ndarray:
    """Say which patches have a file, a place or an id of their own, not a number alone."""
    if "label_id" in known:
        return np.ones(len(known), bool)
    alone = ~known["source"].duplicated(keep=False).to_numpy()
    boxes = known.groupby("source")[["y", "x"]].transform("max").max(axis=1).to_numpy() > 0
    named: np.ndarray = alone | boxes
    return named


def _by_content(table: pd.DataFrame, content: np.ndarray, rows: np.ndarray) -> pd.DataFrame:
    """List the content and the file of some rows; the index says which they are."""
    files = table["source"].to_numpy(object)[rows]
    names = [str(name).rsplit("/", 1)[-1] for name in files]
    return pd.DataFrame({"file": names, CONTENT: content}, index=rows)


def _match(one: pd.DataFrame, other: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """Return the position in ``other`` of each row of ``one``, -1 where there is none.

    Of rows that are alike, the first goes to the first, the second to the second.
    """
    if len(one) == len(other) and all(
        np.array_equal(one[name].to_numpy(), other[name].to_numpy()) for name in columns
    ):
        return np.arange(len(one))
    left, right = one[columns], other[columns]
    left = left.assign(_=left.groupby(columns, dropna=False).cumcount().to_numpy())
    right = right.assign(
        _=right.groupby(columns, dropna=False).cumcount().to_numpy(),
        at=np.arange(len(right)),
    )
    found = left.merge(right, on=[*columns, "_"], how="left")["at"]
    return np.array(found.fillna(-1), np.intp)


def _one_form(table: pd.DataFrame) -> pd.DataFrame:
    """Return the places with plain numbers, and names in one form of Unicode."""
    columns: dict[str, Any] = {}
    for name in table.columns:
        if name == "source":
            codes, names = pd.factorize(table[name], use_na_sentinel=False)
            columns[name] = np.array([composed(str(one)) for one in names], object)[codes]
        elif name in WHERE:
            columns[name] = pd.to_numeric(table[name], errors="coerce").to_numpy(float)
        elif name == CONTENT:
            columns[name] = table[name].to_numpy(np.uint64)
    return pd.DataFrame(columns, copy=False)  # as they are: of a million that takes long
