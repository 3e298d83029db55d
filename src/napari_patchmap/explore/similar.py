"""More like this: the patches whose features are nearest to those of some."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_patchmap.errors import SuggestionError
from napari_patchmap.explore.feature_rows import check_features, in_parts, rows_of, spread_rows
from napari_patchmap.patches.watch import UNWATCHED, Watch

#: Of a selection, the nearest members that count: these, or a third of it where that is more.
_NEAREST, _SHARE = 3, 3

#: Members that are compared at most.
_MEMBERS = 256


@dataclass(frozen=True, eq=False)
class Similar:
    """Patches that are like some others, the nearest first.

    Parameters
    ----------
    indices : ndarray of intp, shape (k,)
    distances : ndarray of float32, shape (k,)
        Euclidean distance of the features, 0 or more, in their own unit; from a selection
        the mean of the distances to the nearest third of its members, three at least.
    """

    indices: np.ndarray
    distances: np.ndarray


def more_like(
    features: np.ndarray,
    rows: np.ndarray,
    count: int = 50,
    watch: Watch = UNWATCHED,
    without: np.ndarray | None = None,
) -> Similar:
    """Find the patches that are most like one patch or a selection.

    All are compared. To a selection a patch is as near as to the nearest third of its members
    on average, three at least: what found most patches of the class meant, of all that was
    tried (``benchmarks/README.md``). By its nearest member alone, a single stray patch in a
    selection brings all of its own kind; by its centre, or by all members, a selection that is
    of two kinds, or bent, brings what lies between. Of more than 256 members so many
    are compared, spread evenly over the order of the patches.

    Parameters
    ----------
    features : ndarray of float16 or float32, shape (n, d)
        Read in parts; may be a memory map.
    rows : ndarray of int, shape (m,)
        One patch or several; they are not among what is found.
    count : int
        How many to find.
    watch : Watch, optional
        Progress and the way out.
    without : ndarray of int, optional
        Others that are not to be found, such as hidden ones.

    Raises
    ------
    SuggestionError
        If nothing is selected, or the features are missing or not finite.
    LoadCancelled
        If the watch says so.
    """
    check_features(features)
    rows = np.unique(np.asarray(rows, np.intp))
    if not len(rows):
        raise SuggestionError("Select the patches first that others are to be like.")
    if rows[0] < 0 or rows[-1] >= len(features):
        raise SuggestionError(
            f"There is no patch {int(rows[-1]):,} among {len(features):,}; select others."
        )
    members = rows_of(features, rows[spread_rows(len(rows), _MEMBERS)])
    left_out = rows if without is None else np.union1d(rows, without)
    return _nearest(features, members, count, left_out, watch)


def like_features(
    features: np.ndarray,
    wanted: np.ndarray,
    count: int = 50,
    watch: Watch = UNWATCHED,
    without: np.ndarray | None = None,
) -> Similar:
    """Find the patches that are most like features from outside; see :func:`more_like`.

    Parameters
    ----------
    features : ndarray of float16 or float32, shape (n, d)
    wanted : ndarray of float, shape (m, d)
        Such as those of an image that was placed on the map (``Placed.features``).
    count, watch, without
        See :func:`more_like`.

    Raises
    ------
    SuggestionError
        If the features are missing, not finite, or of another network.
    LoadCancelled
        If the watch says so.
    """
    check_features(features)
    check_features(wanted)
    if wanted.shape[1] != features.shape[1]:
        raise SuggestionError(
            f"These are {wanted.shape[1]:,} features a patch and the run has "
            f"{features.shape[1]:,}; use the network of this run."
        )
    members = rows_of(wanted, spread_rows(len(wanted), _MEMBERS))
    left_out = np.empty(0, np.intp) if without is None else np.asarray(without, np.intp)
    return _nearest(features, members, count, left_out, watch)


def _nearest(
    features: np.ndarray, members: np.ndarray, count: int, without: np.ndarray, watch: Watch
) -> Similar:
    # Small numbers lose less in the products below.
    middle = members.mean(axis=0)
    members = members - middle
    squares = (members**2).sum(axis=1)
    near = min(max(_NEAREST, -(-len(members) // _SHARE)), len(members))
    apart = np.empty(len(features), np.float32)
    for part, values in in_parts(features, watch):
        values -= middle
        own = np.einsum("nd,nd->n", values, values)
        gaps = values @ (-2 * members.T)
        gaps += squares
        if near < len(members):
            gaps.partition(near - 1, axis=1)
            gaps = gaps[:, :near]
        gaps += own[:, None]
        apart[part] = np.sqrt(np.maximum(gaps, 0)).mean(axis=1)
    apart[without] = np.inf
    count = max(0, min(count, len(features) - len(without)))
    # A few more, for those at the edge; their distances are then taken directly.
    spare = min(count + 16, len(features) - len(without))
    found = np.sort(np.argpartition(apart, spare - 1)[:spare]) if spare else np.empty(0, int)
    exact = np.empty(len(found), np.float32)
    for at, row in enumerate(rows_of(features, found) - middle if spare else ()):
        gaps = np.sort(np.linalg.norm(members - row, axis=1))[:near]
        exact[at] = gaps.mean()
    order = np.argsort(exact, kind="stable")[:count]
    return Similar(found[order].astype(np.intp), exact[order])
