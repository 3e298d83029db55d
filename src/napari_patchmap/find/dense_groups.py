"""Groups of any shape: parts denser than their surroundings, or closely knit neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.cluster import HDBSCAN
from sklearn.metrics import pairwise_distances_argmin

from napari_patchmap.errors import FindError
from napari_patchmap.find.density_tree import density_tree
from napari_patchmap.find.space import drawn, reduced
from napari_patchmap.layout.neighbour_search import nearest_of
from napari_patchmap.optional import optional
from napari_patchmap.patches.watch import Watch

#: Patches that are grouped; the others take the group of the nearest of these.
FITTED = 20_000

#: Principal components of features that are looked at: in more, everything is equally far.
DENSE, KNIT = 20, 50

#: Neighbours of which one must be near for a patch to be in a dense part, and neighbours that
#: patches are joined with.
_CORE, _JOINED = 15, 15

#: Patches whose nearest are looked for at once.
_PART = 2_048

#: Share of the patches in one group above which the dense parts inside it are wanted.
_ALMOST_ALL = 0.9


@dataclass(frozen=True, eq=False)
class Dense:
    """Groups of any shape.

    Parameters
    ----------
    codes : ndarray of intp, shape (n,)
        The group of each patch from 0, -1 where it is in none.
    fitted : int
        Patches that were grouped; the others followed the nearest of them.
    leaves : bool
        Whether they are the densest parts inside larger ones.
    """

    codes: np.ndarray
    fitted: int
    leaves: bool = False


def dense_parts(points: np.ndarray, smallest: int, seed: int, watch: Watch) -> Dense:
    """Find the parts that are denser than their surroundings; the rest is noise.

    HDBSCAN (Campello, Moulavi and Sander, PAKDD 2013) on at most 20 principal components
    of at most 20,000 patches. It takes the groups that last longest as the density rises
    (excess of mass). Where these are one group of nearly all and perhaps some specks, it
    takes the densest parts inside (the leaves of its tree).

    Parameters
    ----------
    points : ndarray of float32, shape (n, d)
    smallest : int
        Fewest patches of a group, of all n.
    seed : int
        Draws the patches that are grouped.
    watch : Watch

    Raises
    ------
    FindError
        If nothing is dense enough, or it was ended.
    """
    near = reduced(points, DENSE, seed)
    rows = drawn(len(near), FITTED, seed)
    some = near[rows].astype(np.float64)
    least = max(3, round(smallest * len(rows) / len(points)))
    if 2 * least > len(rows):
        raise FindError(
            f"No two groups of {smallest:,} fit into {len(points):,} patches; choose a "
            "smaller smallest group."
        )
    core = _near(some, min(_CORE, least) - 1, watch.part(0, 30))[1][:, -1]
    tree = density_tree(some, core.astype(np.float64), watch.part(30, 80))
    if tree is None:
        raise _stopped()
    leaves = False
    for how in ("eom", "leaf"):
        found = HDBSCAN(
            least,
            min_samples=1,  # the rest of what is near is in the tree already
            metric="precomputed",
            cluster_selection_method=how,
            copy=True,
        ).fit_predict(tree)
        leaves = how == "leaf"
        sizes = np.bincount(found[found >= 0], minlength=1)
        if len(sizes) > 1 and sizes.max() < _ALMOST_ALL * len(rows):
            break
    if found.max() < 0:
        raise FindError(
            f"No part with {smallest:,} patches is denser than its surroundings; choose a "
            "smaller smallest group, or k-means."
        )
    codes = _of_all(near, rows, found, watch.part(80, 100))
    return Dense(codes, len(rows), leaves)


def knit_groups(points: np.ndarray, resolution: float, seed: int, watch: Watch) -> Dense:
    """Find groups of patches that are neighbours of each other more than of others.

    Leiden (Traag, Waltman and van Eck, Scientific Reports 9, 2019) for the modularity of the
    graph that joins each patch with its 15 nearest, among at most 50 principal components
    of at most 20,000 patches.

    Parameters
    ----------
    points : ndarray of float32, shape (n, d)
    resolution : float
        The larger, the more groups.
    seed : int
    watch : Watch

    Raises
    ------
    FindError
        If it was ended.
    MissingPackageError
        If the package that does it is not installed.
    """
    leiden = optional("sknetwork.clustering", "scikit-network").Leiden
    near = reduced(points, KNIT, seed)
    rows = drawn(len(near), FITTED, seed)
    joined = _near(near[rows], _JOINED, watch.part(0, 50))[0]
    own = np.repeat(np.arange(len(rows)), joined.shape[1])
    graph = csr_matrix((np.ones(joined.size), (own, joined.ravel())), (len(rows), len(rows)))
    found = leiden(resolution=resolution, random_state=seed).fit_predict(
        graph.maximum(graph.T).tocsr()
    )
    codes = _of_all(near, rows, np.asarray(found), watch.part(60, 100))
    return Dense(codes, len(rows))


def _near(points: np.ndarray, count: int, watch: Watch) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest others of each point and how far they are, each (n, count)."""
    count, parts = min(count, len(points) - 1), []
    for start in range(0, len(points), _PART):
        if watch.ends(start, len(points)):
            raise _stopped()
        own = np.arange(start, min(start + _PART, len(points)))
        parts.append(nearest_of(points[own], points, count, without=own))
    indices, apart = zip(*parts, strict=True)
    return np.concatenate(indices), np.concatenate(apart)


def _of_all(
    points: np.ndarray, rows: np.ndarray, found: np.ndarray, watch: Watch
) -> np.ndarray:
    """Return the groups of all points from those of some rows."""
    codes = np.empty(len(points), np.intp)
    codes[rows] = found
    others = np.setdiff1d(np.arange(len(points)), rows, assume_unique=True)
    for start in range(0, len(others), _PART):
        if watch.ends(start, len(others)):
            raise _stopped()
        some = others[start : start + _PART]
        codes[some] = found[pairwise_distances_argmin(points[some], points[rows])]
    return codes


def _stopped() -> FindError:
    return FindError("Stopped before there were groups; what was found before stays.")
