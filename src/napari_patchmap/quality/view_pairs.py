"""Does the network see the same patch in two views of it? Their places compared."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_patchmap.layout.neighbour_search import Metric, nearer
from napari_patchmap.patches.watch import Watch
from napari_patchmap.quality.asked import (
    STABLE,
    AskedCheck,
    AskedMap,
    check_usable,
    map_width,
)
from napari_patchmap.quality.figure import share_entry
from napari_patchmap.quality.neighbourhood import RANKED
from napari_patchmap.quality.report import Evaluation

#: Patches of which two views are made; of more, so many drawn at random.
_MOST = 5_000

#: Fewer patches have no neighbours that are a part of them.
_FEWEST = 2 * RANKED + 1

#: Patches of which views are looked at at once.
_PART = 250


def partner_ranks(
    views: np.ndarray, others: np.ndarray, among: np.ndarray, own: np.ndarray, metric: Metric
) -> np.ndarray:
    """Count the patches that are nearer to a view than the other view of the same patch.

    Parameters
    ----------
    views, others : ndarray of float, shape (m, d)
        Row i of both are two views of one patch: features, or places on a map.
    among : ndarray of float, shape (n, d)
        Those of all patches as they are.
    own : ndarray of int, shape (m,)
        Which of the patches it is, that does not count.
    metric : {"euclidean", "cosine"}

    Returns
    -------
    ndarray of int64, shape (m,)
        0 where the other view is nearest.
    """
    return nearer(views, others, among, metric, without=own)


def views_entry(ranks: np.ndarray, of: int) -> dict[str, Any]:
    """Return the share of pairs that are neighbours, with its interval, and the usual rank."""
    entry = share_entry(ranks < RANKED, "share", "n") | {
        "rank": int(np.median(ranks)) + 1,
        "chance": RANKED / of,
    }
    return entry | ({"of": of} if len(ranks) < of else {})


def _two_views(asked: AskedMap, _: object, watch: Watch) -> Evaluation:
    """Look at two views of patches, made with the run's own augmentations."""
    given, patches = asked.figures(), asked.images()
    assert patches is not None
    pool = check_usable(given, _FEWEST, "compare two views of patches")
    there = np.setdiff1d(np.arange(len(given)), patches.missing)
    rows = np.random.default_rng(0).permutation(there)[:_MOST]
    by_features, by_map, apart = [], [], []
    found = Evaluation({}, {})
    for start in range(0, len(rows), _PART):
        if watch.ends(start, len(rows), found if start else None):
            return found
        some = rows[start : start + _PART]
        features, places = asked.views(patches, some, start)
        first, second = np.split(features, 2)
        by_features.append(partner_ranks(first, second, pool, some, given.metric))
        if asked.layout == "network":
            first, second = np.split(places, 2)
            by_map.append(partner_ranks(first, second, given.embedding, some, "euclidean"))
            apart.append(np.linalg.norm(first - second, axis=1) / map_width(given.embedding))
        found = _known(rows[: start + len(some)], by_features, by_map, apart, len(given))
    watch.ends(len(rows), len(rows), found)
    return found


def _known(
    rows: np.ndarray,
    by_features: list[np.ndarray],
    by_map: list[np.ndarray],
    apart: list[np.ndarray],
    count: int,
) -> Evaluation:
    ranks = np.concatenate(by_features)
    entry: dict[str, Any] = {"features": views_entry(ranks, count)}
    column = np.full(count, np.nan, np.float32)
    column[rows] = ranks
    if by_map:
        entry |= {
            "map": views_entry(np.concatenate(by_map), count),
            "apart": float(np.median(np.concatenate(apart))),
        }
        column[rows] = np.concatenate(by_map)
    return Evaluation({TWO_VIEWS.key: entry}, {TWO_VIEWS.key: column})


def _images(asked: AskedMap) -> str:
    if not asked.sees_images:
        return "This map was made of features of your own; no network can look at two views."
    patches = asked.images()
    if patches is None or len(patches.missing) == len(patches):
        return "Views are made of the images; say where those are, then ask again."
    return ""


def _lines(found: dict[str, Any]) -> list[str]:
    lines = []
    for name, where in (("map", "on the map"), ("features", "among the features")):
        entry = found.get(name)
        if entry is None:
            continue
        share, low, high = (100 * entry[key] for key in ("share", "low", "high"))
        n = f"{entry['n']:,} patches"
        if "of" in entry:
            n = f"an estimate on {entry['n']:,} of {entry['of']:,} patches"
        lines.append(
            f"Of {share:.1f} % of the patches, a second view lies among the {RANKED} nearest "
            f"of the first {where} (95 %: {low:.1f} to {high:.1f} %; by chance "
            f"{100 * entry['chance']:.1f} %; {n}); half of them are its neighbour number "
            f"{entry['rank']:,} or a nearer one."
        )
    if found.get("apart") is not None:
        lines.append(
            f"Half of the pairs land less than {100 * found['apart']:.1f} % of the map's width "
            "from each other."
        )
    return lines


TWO_VIEWS = AskedCheck(
    key="two_views",
    question="Do two views of one patch lie together?",
    name="patches nearer than its other view",
    group=STABLE,
    needs_features=True,
    why_not=_images,
    answer=_two_views,
    lines=_lines,
    help="Each patch is cut, turned and recoloured twice as in training, and the network looks "
    f"at both views. If the second is among the {RANKED} nearest of the first, out of all "
    "patches, what the augmentation changes does not decide where a patch lies. Where it is "
    "not, place and neighbours are of how the picture was taken. On the map itself where the "
    "network makes it, otherwise among the features. Needs the images; takes seconds to "
    f"minutes; of more than {_MOST:,} patches as many, drawn at random.",
    reference="views as in Chen et al. 2020, and on the map as in Böhm, Berens and Kobak 2023",
)
