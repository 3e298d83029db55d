"""Does a patch stay where it is when its features change a little? Placed again, alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.spatial import cKDTree

from napari_patchmap.layout.held_map import HeldMap
from napari_patchmap.layout.neighbour_search import nearest_of
from napari_patchmap.layout.tsne import Tsne
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.quality.asked import STABLE, AskedCheck, check_usable, map_width
from napari_patchmap.quality.figure import FigureInput, share_entry
from napari_patchmap.quality.report import Evaluation

#: Of more patches so many, drawn at random, are placed again: about two minutes on two cores.
#: Fewer would do for the share, but not for colours of the map.
MOST_MOVED = 20_000

#: Patches from which the principal axes and the length of the steps are found at most.
_SEEN = 5_000

#: Neighbours on the map that are the surroundings of a patch.
SURROUNDINGS = 50

#: Share of the distance to its nearest other patch by which the features of one are moved.
_MOVED = 0.25

#: Principal axes of the features along which they are moved, there and back.
_AXES = 3

#: Fewer patches have no surroundings that are a part of the map.
_FEWEST = 2 * SURROUNDINGS + 1

#: Patches that are placed again at once, and share of the map's width that is no shift.
_PART, _STILL = 500, 1e-3


def placed_again(
    given: FigureInput, tsne: Tsne, watch: Watch = UNWATCHED, *, most: int = MOST_MOVED
) -> Evaluation:
    """Say how far each patch moves on a t-SNE when its features are moved a little.

    The perturbation score of Liu, Ma and Zhong (2025): the features of a patch are moved by
    a fixed length along the first three principal axes, there and back, and it alone is
    placed again, while all others stay where they are; the score is its largest distance
    from its place. They leave the length to the user (0.5 for groups of deviation 1); here
    it is a quarter of the median distance between a patch and the one most like it. A
    patch is never a neighbour of its own copies. It could as well lie elsewhere if a
    copy lands farther away than its 50th neighbour lies.

    Parameters
    ----------
    given : FigureInput
    tsne : Tsne
        As the map was made of the features.
    watch : Watch
        Told the answer so far.
    most : int
        Patches that are placed again; of more, so many drawn at random.

    Returns
    -------
    Evaluation
        Its entry: ``share`` of ``n`` patches that could as well lie elsewhere, with ``low``
        and ``high``, ``of`` where ``n`` is a sample; ``shift`` and ``unmoved``, median
        distances of moved and unmoved copies from their places in widths of the map;
        ``neighbour``: the median shift is as far as that neighbour is; ``length``. Its
        column: the shift of each patch in widths of the map.

    Raises
    ------
    QualityError
        If it cannot be computed.
    """
    features = check_usable(given, _FEWEST, "place each patch again among the others")
    x = np.asarray(features, np.float64)
    if tsne.metric == "cosine":
        x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    places = np.asarray(given.embedding, np.float64)
    rows = np.random.default_rng(0).permutation(len(places))[:most]
    steps = _steps(x, rows)
    held = HeldMap(tsne, x, places, jobs=torch.get_num_threads())
    tree, width = cKDTree(places), map_width(places)
    shifts = np.empty((len(rows), len(steps)))
    found = Evaluation({}, {})
    for start in range(0, len(rows), _PART):
        if watch.ends(start, len(rows), found if start else None):
            return found
        some = rows[start : start + _PART]
        copies = (x[some, None] + steps).reshape(-1, x.shape[1])
        ends = held.place(copies, np.repeat(some, len(steps)))
        ends = ends.reshape(len(some), len(steps), -1)
        shifts[start : start + len(some)] = np.linalg.norm(ends - places[some, None], axis=2)
        known = start + len(some)
        found = _summary(rows[:known], shifts[:known], tree, width)
        found.report[PLACED_AGAIN.key]["length"] = float(np.linalg.norm(steps[1]))
    watch.ends(len(rows), len(rows), found)
    return found


def _steps(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return what is added to features: nothing, and a step along each axis and back."""
    some = rows[:_SEEN]
    apart = nearest_of(x[some], x, 1, without=some)[1][:, 0]
    length = _MOVED * float(np.median(apart[apart > 0])) if (apart > 0).any() else 0.0
    axes = np.linalg.svd(x[some] - x[some].mean(axis=0), full_matrices=False)[2][:_AXES]
    still = np.zeros((1, x.shape[1]))
    return np.concatenate([still, length * axes, -length * axes])


def _summary(rows: np.ndarray, shifts: np.ndarray, tree: cKDTree, width: float) -> Evaluation:
    places, key = tree.data, PLACED_AGAIN.key
    largest = shifts[:, 1:].max(axis=1)
    edges = tree.query(places[rows], SURROUNDINGS + 1)[0][:, -1]
    elsewhere = largest > np.maximum(edges, _STILL * width)
    passed = tree.query_ball_point(places[rows], largest, return_length=True) - 1
    column = np.full(len(places), np.nan, np.float32)
    column[rows] = largest / width
    entry = share_entry(elsewhere, "share", "n") | {
        "shift": float(np.median(largest)) / width,
        "neighbour": max(1, int(np.median(passed))),
        "unmoved": float(np.median(shifts[:, 0])) / width,
    }
    if len(rows) < len(places):
        entry["of"] = len(places)
    return Evaluation({key: entry}, {key: column})


def _lines(found: dict[str, Any]) -> list[str]:
    share, low, high = (100 * found[name] for name in ("share", "low", "high"))
    n = f"{found['n']:,} patches"
    if "of" in found:
        n = f"{found['n']:,} of {found['of']:,} patches, an estimate"
    elsewhere = (
        f"{share:.1f} % of the patches could as well lie elsewhere: they leave their "
        f"surroundings when their features change a little (95 %: {low:.1f} to {high:.1f} %; "
        f"{n})."
    )
    half = (
        f"Half of them move by less than {100 * found['shift']:.1f} % of the map's width, as "
        f"far as neighbour number {found['neighbour']:,} lies; placed again unchanged, by less "
        f"than {100 * found['unmoved']:.1f} %."
    )
    return [elsewhere, half]


PLACED_AGAIN = AskedCheck(
    key="placed_again",
    question="Could a patch as well lie elsewhere?",
    name="shift when placed again",
    group=STABLE,
    needs_features=True,
    by_network="A network placed these patches, by their images alone and not by their "
    "neighbours; two views of a patch say how firmly it lies.",
    answer=lambda asked, _, watch: placed_again(asked.figures(), asked.tsne(), watch),
    lines=_lines,
    help="The features of a patch are moved by a quarter of the distance between a typical "
    "patch and the one most like it, along their three main directions, there and back; then "
    "it alone is placed again on the map. Where it leaves its 50 nearest neighbours, the map "
    "is torn, or the patch lies between groups: its place means little. Takes two minutes "
    "for 17,000 patches on two cores, and what is known when you cancel stays; "
    f"of more than {MOST_MOVED:,} patches as many, drawn at random, are placed again.",
    reference="the perturbation score of Liu, Ma and Zhong 2025 (LOO-map)",
)
