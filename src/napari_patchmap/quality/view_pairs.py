"""Does the network see the same patch in two views of it? Their places compared."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_patchmap.layout.neighbour_search import Metric, nearer
from napari_patchmap.quality.asked import AskedCheck
from napari_patchmap.quality.figure import share_entry
from napari_patchmap.quality.neighbourhood import RANKED

#: Patches of which two views are made; of more, so many drawn at random.
MOST_VIEWED = 5_000

#: Fewer patches have no neighbours that are a part of them.
FEWEST_VIEWED = 2 * RANKED + 1


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
    lines=_lines,
    help="Each patch is cut, turned and recoloured twice as in training, and the network looks "
    f"at both views. If the second is among the {RANKED} nearest of the first, out of all "
    "patches, what the augmentation changes does not decide where a patch lies. Where it is "
    "not, place and neighbours are of how the picture was taken. On the map itself where the "
    "network makes it, otherwise among the features. Needs the images; takes seconds to "
    f"minutes; of more than {MOST_VIEWED:,} patches as many, drawn at random.",
    reference="views as in Chen et al. 2020, and on the map as in Böhm, Berens and Kobak 2023",
)
