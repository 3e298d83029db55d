"""Pairs of patches that may show the same, and what their pixels say of each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from napari_patchmap.find.described import Described
from napari_patchmap.find.rough_neighbours import rough_neighbours
from napari_patchmap.find.spectra import standing, turned
from napari_patchmap.layout.neighbour_search import Metric
from napari_patchmap.patches.watch import Watch

#: Nearest patches of each that are looked at: by what is to be seen, and by the features.
NEIGHBOURS = 4

#: How alike two spectra are, turned as they are most alike, where pictures may be; how alike
#: where they are compared though one of them has another that is more alike.
_ALIKE, _VERY_ALIKE = 0.5, 0.8

#: Pairs that are told from each other at once, and that are laid on each other at once.
_TOLD, LAID = 16_384, 4_096

#: Distances between two sets that are in memory at once.
_APART = 2**24


def exact_groups(of: Described) -> tuple[list[np.ndarray], int]:
    """Return groups of patches with the same pixels, and how many were left out.

    Left out are those that overlap with the first of their group in their image, and groups
    that lie in one of two sets only.
    """
    rows = np.flatnonzero((of.content != 0) & ~of.flat)
    rows = rows[np.argsort(of.content[rows], kind="stable")]
    same = of.content[rows]
    starts = np.flatnonzero(np.r_[True, same[1:] != same[:-1]]) if len(rows) else rows
    sizes = np.diff(np.r_[starts, len(rows)])
    groups, overlapping = [], 0
    for start, size in zip(starts[sizes > 1], sizes[sizes > 1], strict=True):
        group = np.sort(rows[start : start + size])
        beside = of.overlapping(np.full(size, group[0]), group)
        overlapping += int(beside.sum())
        group = group[~beside]
        if len(group) > 1 and (not of.across or len(np.unique(of.set[group])) > 1):
            groups.append(group)
    return groups, overlapping


def proposed(of: Described, rows: np.ndarray, watch: Watch) -> tuple[np.ndarray, int]:
    """Return pairs of some patches that may show the same, (m, 2), the smaller first.

    They are near by what a shift, a turn and a mirror leave of a picture, or by the features,
    and their spectra are alike.

    Parameters
    ----------
    of : Described
    rows : ndarray of int
        The patches that are compared.
    watch : Watch
        Told how many of how many neighbours are known.

    Returns
    -------
    pairs : ndarray of int, shape (m, 2)
    overlapping : int
        Pairs that were left out, for they are cut out of one image and overlap.
    """
    spaces: list[tuple[np.ndarray, Metric]] = [(standing(of.spectra[rows]), "euclidean")]
    if of.features is not None and of.features.shape[1]:
        spaces.append((of.features[rows], of.metric))
    pairs = np.empty((0, 2), np.intp)
    for k, (points, metric) in enumerate(spaces):
        sets = of.set[rows] if of.across else None
        near = _near(points, metric, sets, watch.one_of(k, len(spaces)))
        new = np.stack([np.repeat(rows, near.shape[1]), _named(rows, near)], axis=1)
        pairs = _unique(np.concatenate([pairs, new[new[:, 1] >= 0]]))
        if watch.ends(k + 1, len(spaces)):
            break
    likeness = alike(of, pairs)
    pairs, likeness = pairs[likeness >= _ALIKE], likeness[likeness >= _ALIKE]
    overlapping = 0 if of.across else int(of.overlapping(*pairs.T).sum())
    allowed = of.allowed(pairs[:, 0], pairs[:, 1])
    pairs, likeness = pairs[allowed], likeness[allowed]
    best = np.zeros(len(of), np.float32)
    np.maximum.at(best, pairs.reshape(-1), np.repeat(likeness, 2))
    first = (likeness[:, None] >= best[pairs]).any(axis=1)
    return pairs[first | (likeness >= _VERY_ALIKE)], overlapping


def _near(
    points: np.ndarray, metric: Metric, sets: np.ndarray | None, watch: Watch
) -> np.ndarray:
    """Return the places of the nearest points, (n, k), -1 for none; of the other set if two."""
    if len(points) < 2:
        return np.empty((len(points), 0), np.int64)
    if sets is None:
        return rough_neighbours(points, NEIGHBOURS, metric, watch)[0]
    near = np.full((len(points), NEIGHBOURS), -1)
    whole = torch.from_numpy(np.ascontiguousarray(points, np.float32))
    if metric == "cosine":
        whole = torch.nn.functional.normalize(whole, dim=1)
    for one in (0, 1):
        mine, theirs = np.flatnonzero(sets == one), np.flatnonzero(sets != one)
        if not len(mine) or not len(theirs):
            continue
        count = min(NEIGHBOURS, len(theirs))
        for rows in np.array_split(mine, -(-len(mine) * len(theirs) // _APART)):
            apart = torch.cdist(whole[rows], whole[theirs])
            found = apart.topk(count, dim=1, largest=False).indices.numpy()
            near[rows, :count] = theirs[found]
    return near


def _named(rows: np.ndarray, near: np.ndarray) -> np.ndarray:
    return np.where(near < 0, -1, rows[near]).reshape(-1)


def _unique(pairs: np.ndarray) -> np.ndarray:
    pairs = np.sort(pairs, axis=1)
    keys = np.unique(pairs[:, 0].astype(np.int64) << 32 | pairs[:, 1])
    pairs = np.stack([keys >> 32, keys & 0xFFFFFFFF], axis=1).astype(np.intp)
    return pairs[pairs[:, 0] != pairs[:, 1]]


def alike(of: Described, pairs: np.ndarray) -> np.ndarray:
    """Return how alike the spectra of pairs are at the best turn, (m,), -1 to 1."""
    found = np.empty(len(pairs), np.float32)
    for start in range(0, len(pairs), _TOLD):
        part = pairs[start : start + _TOLD]
        waves = (torch.from_numpy(of.spectra[part[:, k]]) for k in (0, 1))
        plain, mirrored = turned(*waves)
        best = torch.maximum(plain.amax(dim=1), mirrored.amax(dim=1))
        found[start : start + _TOLD] = best.numpy()
    return found


def laid(of: Described, pairs: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Go through pairs in parts: the pairs, and the score that their pixels give them."""
    for start in range(0, len(pairs), LAID):
        part = pairs[start : start + LAID]
        yield part, of.aligned(part[:, 0], part[:, 1]).score
