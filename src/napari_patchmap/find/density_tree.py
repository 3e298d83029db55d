"""The tree of all points along which they are joined where it is densest."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from napari_patchmap.patches.watch import Watch

#: Points after which is asked whether to end, and after which those in the tree are put away.
_STEP = 1024


def density_tree(points: np.ndarray, core: np.ndarray, watch: Watch) -> csr_matrix | None:
    """Join points by the shortest edges, as HDBSCAN measures them.

    An edge is as long as the distance of its ends, but no shorter than the core distance of
    either (mutual reachability: Campello, Moulavi and Sander, PAKDD 2013, definition 4). The
    tree grows from the first point (Prim's algorithm), a point a step.

    scikit-learn, given this graph as distances with ``min_samples`` of 1, makes the groups that
    it makes of the points; making the tree, too, it answers nobody for as long as it takes,
    and keeps all other threads of Python from working.

    Parameters
    ----------
    points : ndarray of float64, shape (n, d)
    core : ndarray of float64, shape (n,)
        Distance of each point from the neighbour that makes its surroundings dense.
    watch : Watch
        Told how many of how many points are in the tree.

    Returns
    -------
    csr_matrix of float64, shape (n, n), or None
        The n - 1 edges, both ways, each longer than 0; None if it was ended.
    """
    points = points - points.mean(axis=0)
    squares, cores = np.einsum("nd,nd->n", points, points), core**2
    ends = np.empty((len(points) - 1, 2), np.intp)
    lengths = np.empty(len(points) - 1)
    # Of the points that are not in the tree yet, or were put into it a short while ago.
    left, waits = np.arange(len(points)), np.ones(len(points), bool)
    some, some_squares, some_cores = points, squares, cores
    shortest, joined = np.full(len(points), np.inf), np.zeros(len(points), np.intp)
    at = 0
    for step in range(len(points) - 1):
        own = left[at]
        waits[at] = False
        if step % _STEP == 0:
            if watch.ends(step, len(points)):
                return None
            left, some, some_squares, some_cores, shortest, joined = (
                values[waits]
                for values in (left, some, some_squares, some_cores, shortest, joined)
            )
            waits = np.ones(len(left), bool)
        apart = some @ (-2 * points[own])
        apart += some_squares
        apart += squares[own]
        np.maximum(apart, some_cores, out=apart)
        np.maximum(apart, cores[own], out=apart)
        nearer = (apart < shortest) & waits
        shortest[nearer] = apart[nearer]
        joined[nearer] = own
        at = int(shortest.argmin())
        ends[step], lengths[step] = (joined[at], left[at]), shortest[at]
        shortest[at] = np.inf
    # An edge of length 0 would be none.
    lengths = np.sqrt(np.maximum(lengths, np.finfo(np.float64).tiny))
    both = np.concatenate([ends, ends[:, ::-1]])
    return csr_matrix((np.tile(lengths, 2), tuple(both.T)), (len(points), len(points)))
