"""What people do with groups: name, merge and split them, and make classes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from napari_patchmap.errors import FindError
from napari_patchmap.explore.annotations import Annotations
from napari_patchmap.explore.given_names import clean_name, comparable
from napari_patchmap.find.group_report import group_codes
from napari_patchmap.find.k_means import k_means

#: Parts into which a group is split, and fewest patches of each.
_PARTS, _FEWEST = 2, 2


def rename_group(names: np.ndarray, old: str, new: str) -> np.ndarray:
    """Give a group another name.

    Parameters
    ----------
    names : ndarray of object, shape (n,)
        Group of each patch, "" for none; it stays as it is.
    old, new : str

    Raises
    ------
    FindError
        If another group has that name, or there is no group ``old``.
    AnnotationError
        If the name is empty or too long.
    """
    _check(names, [old])
    new = clean_name(new, "group")
    for other in group_codes(names)[1]:
        if other != old and comparable(other) == comparable(new):
            raise FindError(
                f"There is a group {other} already; choose another name, or merge the two."
            )
    changed = names.copy()
    changed[names == old] = new
    return changed


def merge_groups(names: np.ndarray, chosen: Sequence[str]) -> np.ndarray:
    """Make one group of several; it has the name of the largest.

    Raises
    ------
    FindError
        If fewer than two are chosen, or one is not there.
    """
    _check(names, chosen)
    if len(set(chosen)) < 2:
        raise FindError("Choose two groups or more to make one of.")
    by_size = [name for name in group_codes(names)[1] if name in chosen]
    changed = names.copy()
    changed[np.isin(names.astype(str), by_size)] = by_size[0]
    return changed


def split_group(names: np.ndarray, one: str, points: np.ndarray, seed: int = 0) -> np.ndarray:
    """Divide a group into two by k-means; they are called after it, a and b.

    Parameters
    ----------
    points : ndarray of float32, shape (n, d)
        See :func:`napari_patchmap.find.space.points_of`.

    Raises
    ------
    FindError
        If it is not there, has too few patches, or all of them are alike.
    """
    _check(names, [one])
    rows = np.flatnonzero(names == one)
    if len(rows) < _FEWEST * _PARTS:
        raise FindError(
            f"{one} has {len(rows)} patches, too few to be split into {_PARTS}; choose a "
            "larger one."
        )
    inside = points[rows]
    if not (inside != inside[0]).any():
        raise FindError(f"All {len(rows):,} patches of {one} are alike and cannot be split.")
    codes = k_means(inside, _PARTS, seed)
    taken = {comparable(name) for name in group_codes(names)[1]}
    letters = (f"{one} {letter}" for letter in _letters())
    free = (name for name in letters if comparable(name) not in taken)
    changed = names.copy()
    for code in np.argsort(-np.bincount(codes), kind="stable"):
        changed[rows[codes == code]] = next(free)
    return changed


def _letters() -> Sequence[str]:
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    return [*alphabet, *(a + b for a in alphabet for b in alphabet)]


def as_annotation(
    annotations: Annotations,
    names: np.ndarray,
    columns: Sequence[str],
    colours: Mapping[str, str] | None = None,
) -> Annotations:
    """Add an annotation whose classes are the groups, and work on it.

    Parameters
    ----------
    annotations : Annotations
        Of the same n patches.
    names : ndarray of object, shape (n,)
    columns : sequence of str
        Names that are taken; the annotation is called groups, groups 2 and so on.
    colours : mapping of str to str, optional
        Colour ``#rrggbb`` of groups by their names.

    Raises
    ------
    AnnotationError
        If there are more groups than an annotation has classes.
    """
    codes, known = group_codes(names)
    taken = {comparable(name) for name in (*columns, *annotations.by_name)}
    tries = ["groups", *(f"groups {number}" for number in range(2, len(taken) + 3))]
    free = next(name for name in tries if name not in taken)
    made = annotations.with_column(free, columns)
    column = made.now
    for name in known:
        column = column.with_class(name, (colours or {}).get(name))
    rows = np.flatnonzero(codes >= 0)
    return made.put(column.take(rows, codes[rows].astype(np.int16), unseen=True))


def _check(names: np.ndarray, chosen: Sequence[str]) -> None:
    known = set(group_codes(names)[1])
    for name in chosen:
        if name not in known:
            raise FindError(f"There is no group {name}; choose one of the list.")
