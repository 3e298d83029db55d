"""Would the same features make the same map again? Laid out anew from other beginnings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from scipy.linalg import orthogonal_procrustes

from napari_patchmap.layout.tsne import LayoutWatch, Tsne
from napari_patchmap.networks.device import choose_device
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.quality.asked import STABLE, AskedCheck, check_usable, map_width
from napari_patchmap.quality.figure import FigureInput, mean_entry
from napari_patchmap.quality.neighbourhood import RANKED, nearest_on_map
from napari_patchmap.quality.report import Evaluation

#: How often features are laid out again.
_TIMES = 2

#: Fewer patches have no neighbours that are a part of the map.
_FEWEST = 2 * RANKED + 1


def other_layouts(given: FigureInput, tsne: Tsne, watch: Watch = UNWATCHED) -> Evaluation:
    """Say how many neighbours a t-SNE keeps when it is made again from other beginnings.

    With the same settings and as many iterations, from random first positions of other
    seeds. Neighbours on the maps are compared for each patch. Then each other map is
    shifted, turned, mirrored and scaled until it lies on this one as well as it can
    (Procrustes), and the distance between both places of a patch is measured.

    Parameters
    ----------
    given : FigureInput
    tsne : Tsne
        As the map was made of the features.
    watch : Watch
        Told the answer so far; a layout that was ended does not count.

    Returns
    -------
    Evaluation
        Its entry: ``mean`` share of 15 neighbours in common over ``n`` patches, with ``low``
        and ``high``; ``chance``; ``apart``: the median distance after alignment in widths of
        the map; ``layouts``: how many others. Its column: the share of each patch.
        Nothing of both where it was ended before the first.

    Raises
    ------
    QualityError
        If it cannot be computed.
    """
    features = check_usable(given, _FEWEST, "lay the map out again")
    places = np.asarray(given.embedding, np.float64)
    every = np.arange(len(places))
    near = nearest_on_map(places, every, RANKED)
    shared, apart = np.zeros(len(places)), np.zeros(len(places))
    found = Evaluation({}, {})
    jobs, device = torch.get_num_threads(), choose_device().target
    for number in range(_TIMES):
        other = replace(tsne, start="random", seed=tsne.seed + 1 + number)

        asked = _asked(watch.one_of(number, _TIMES), other.steps)
        points = other.lay_out(features, jobs=jobs, device=device, watch=asked)
        if watch.stops:
            return found
        again = nearest_on_map(np.asarray(points, np.float64), every, RANKED)
        shared += (near[:, :, None] == again[:, None, :]).sum(axis=(1, 2)) / RANKED
        apart += _apart(places, np.asarray(points, np.float64))
        found = _summary(shared / (number + 1), apart / (number + 1), number + 1)
        watch.tell(found)
    return found


def _asked(watch: Watch, steps: int) -> LayoutWatch:
    return lambda done, _: watch.ends(done, steps)


def _apart(places: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Distances of points from places, in widths of the map, once aligned."""
    ours, theirs = places - places.mean(axis=0), points - points.mean(axis=0)
    turn, size = orthogonal_procrustes(theirs, ours)
    aligned = theirs @ turn * (size / np.square(theirs).sum())
    distances: np.ndarray = np.linalg.norm(aligned - ours, axis=1) / map_width(places)
    return distances


def _summary(shared: np.ndarray, apart: np.ndarray, layouts: int) -> Evaluation:
    key = OTHER_LAYOUTS.key
    entry = mean_entry(shared) | {
        "chance": RANKED / (len(shared) - 1),
        "apart": float(np.median(apart)),
        "layouts": layouts,
    }
    return Evaluation({key: entry}, {key: shared.astype(np.float32)})


def _lines(found: dict[str, Any]) -> list[str]:
    mean, low, high = (100 * found[name] for name in ("mean", "low", "high"))
    others = "one other map" if found["layouts"] == 1 else f"{found['layouts']} other maps"
    kept = (
        f"{mean:.1f} % of {RANKED} neighbours are neighbours again when the same features are "
        f"laid out anew ({others} from random beginnings, {found['n']:,} patches; 95 %: "
        f"{low:.1f} to {high:.1f} %; by chance {100 * found['chance']:.1f} %)."
    )
    order = (
        "the islands lie to each other much as here."
        if found["apart"] < _FAR
        else "how the islands lie to each other is chance."
    )
    fit = (
        "Turned and scaled until it fits this map best, another has half of the patches more "
        f"than {100 * found['apart']:.0f} % of its width from their places here: {order}"
    )
    return [kept, fit]


#: In widths of a map: from here on the arrangement is another.
_FAR = 0.1

OTHER_LAYOUTS = AskedCheck(
    key="other_layouts",
    question="Would the same features make the same map again?",
    name="neighbours in other layouts",
    group=STABLE,
    needs_features=True,
    by_network="A network placed these patches, so only another training would make the map "
    "again; a t-SNE of what it has learned can be asked this.",
    answer=lambda asked, _, watch: other_layouts(asked.figures(), asked.tsne(), watch),
    lines=_lines,
    help="The same features are laid out twice more with the same settings, from random first "
    f"positions. Which of its {RANKED} neighbours does a patch have there as well? Where they "
    "are few, the map shows an accident. Takes as long as two layouts: two or three minutes "
    "for 17,000 patches on two cores; a layout that is complete when you cancel counts.",
    reference="counted as the kNN recall of Böhm et al. 2022; Procrustes after Gower 1975",
)
