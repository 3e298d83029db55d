"""Groups of duplicates: each member is compared with the one in the middle of its group."""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from napari_patchmap.find.described import Described
from napari_patchmap.find.duplicate_pairs import alike, laid
from napari_patchmap.find.spectra import standing
from napari_patchmap.patches.watch import Watch

#: Members from which on a group is a crowd, which leaves each of them the others alone for
#: neighbours.
_CROWD = 3

#: Neighbours of the middle of a crowd that are compared for each of its members, at least, and
#: of all crowds together.
_FOR_EACH, _FEWEST, _MOST = 4, 32, 60_000

#: How much less than a pair a member and the middle may have in common: two changed copies
#: of one patch are each less like it than it is like itself.
_SLACK = 0.03

#: How alike two spectra are at least for a patch to be compared with the middle of a crowd.
_ALIKE = 0.3


def grouped(
    of: Described,
    rows: np.ndarray,
    pairs: np.ndarray,
    scores: np.ndarray,
    least: float,
    watch: Watch,
) -> list[np.ndarray]:
    """Make groups of pairs that show the same.

    Pairs that hang together are a group as far as each member shows the same as the one
    with the most in common with the others: a chain of small changes is not. What is left
    is grouped again. Then more of the neighbours of crowds are looked at.

    Parameters
    ----------
    of : Described
    rows : ndarray of int
        All patches that are compared.
    pairs : ndarray of int, shape (m, 2)
    scores : ndarray of float32, shape (m,)
        At least ``least`` each.
    least : float
    watch : Watch
        Where it has ended the work, what is known is all.

    Returns
    -------
    list of ndarray of int
        The members of each group, the one in the middle first.
    """
    groups = _split(of, pairs, scores, least)
    if watch.stops:
        return groups
    more = _around(of, rows, [group for group in groups if len(group) >= _CROWD])
    found = list(laid(of, more))
    if not found:
        return groups
    more, theirs = (np.concatenate(parts) for parts in zip(*found, strict=True))
    more, theirs = more[theirs >= least], theirs[theirs >= least]
    return _split(of, np.concatenate([pairs, more]), np.concatenate([scores, theirs]), least)


def _split(
    of: Described, pairs: np.ndarray, scores: np.ndarray, least: float
) -> list[np.ndarray]:
    groups: list[np.ndarray] = []
    while len(pairs):
        members, places = np.unique(pairs, return_inverse=True)
        places = places.reshape(pairs.shape)
        part, middle = _middles(places, scores, len(members))
        fits = _fitting(of, members, members[middle], pairs, scores, least)
        order = np.flatnonzero(fits)
        # Each part together, its middle first.
        order = order[np.lexsort((order != middle[order], part[order]))]
        cuts = np.flatnonzero(np.diff(part[order])) + 1
        groups += [members[one] for one in np.split(order, cuts)]
        left = ~fits[places].any(axis=1)
        pairs, scores = pairs[left], scores[left]
    return groups


def _middles(
    places: np.ndarray, scores: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return of each member the part that it hangs together with, and the middle of that."""
    linked = coo_array((np.ones(len(places)), tuple(places.T)), shape=(count, count))
    _, part = connected_components(linked, directed=False)
    common = np.zeros(count)
    np.add.at(common, places.reshape(-1), np.repeat(scores, 2))
    order = np.lexsort((-np.arange(count), common, part))  # of equals the first
    last = np.flatnonzero(np.r_[np.diff(part[order]) > 0, True])
    return part, order[last][part]


def _fitting(
    of: Described,
    members: np.ndarray,
    middle: np.ndarray,
    pairs: np.ndarray,
    scores: np.ndarray,
    least: float,
) -> np.ndarray:
    """Return which members show the same as the middle of their part."""
    asked = np.stack([members, middle], axis=1)
    fits = members == middle
    known = {_key(*pair) for pair in pairs.tolist()}
    fits |= np.array([_key(*pair) in known for pair in asked.tolist()])
    unknown = np.flatnonzero(~fits & ~of.overlapping(members, middle))
    done = 0
    for part, found in laid(of, asked[unknown]):
        fits[unknown[done : done + len(part)]] = found >= least - _SLACK
        done += len(part)
    return fits


def _key(a: int, b: int) -> tuple[int, int]:
    return min(a, b), max(a, b)


def _around(of: Described, rows: np.ndarray, groups: list[np.ndarray]) -> np.ndarray:
    """Return pairs of the middles of groups and what is near them, the largest first."""
    spaces = [standing(of.spectra[rows])]
    if of.features is not None and of.features.shape[1]:
        spaces.append(of.features[rows])
    groups = sorted(groups, key=len, reverse=True)
    counts = [min(max(_FEWEST, _FOR_EACH * len(group)), len(rows) - 1) for group in groups]
    pairs = [np.empty((0, 2), np.intp)]
    for space in spaces:
        points = torch.from_numpy(np.ascontiguousarray(space, np.float32))
        points = points - points.mean(dim=0)
        squares, total = points.square().sum(dim=1) / 2, 0
        for group, count in zip(groups, counts, strict=True):
            own = int(np.searchsorted(rows, group[0]))
            apart = torch.addmv(squares, points, points[own], alpha=-1)
            near = rows[apart.topk(count + 1, largest=False).indices.numpy()]
            others = near[~np.isin(near, group)]
            new = np.stack([np.repeat(group[0], len(others)), others], axis=1)
            pairs.append(new[of.allowed(new[:, 0], new[:, 1])])
            total += count
            if total > _MOST:
                break
    found = np.unique(np.concatenate(pairs), axis=0)
    return found[alike(of, found) >= _ALIKE]
