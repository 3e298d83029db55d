"""Without labels: are neighbours on the map neighbours among the features as well?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from napari_patchmap.quality.figure import (
    AT_FIRST,
    FINE,
    NEIGHBOURS,
    PERCENT,
    FigureInput,
    QualityFigure,
    mean_entry,
    refuse_useless,
)
from napari_patchmap.quality.neighbourhood import MOST, RANKED, Neighbourhood, neighbourhood

#: Seconds that a pair of patches takes, with 512 features of a trained network, measured on
#: two CPU cores.
_PAIR_SECONDS = 8e-9


def _seconds(count: int) -> float:
    return _PAIR_SECONDS * min(count, AT_FIRST) * count


def _mean_of(
    each: Callable[[FigureInput], np.ndarray], fewest: int
) -> Callable[[FigureInput], dict[str, Any] | None]:
    """Return what computes the mean over patches, where there are more than the fewest."""

    def compute(given: FigureInput) -> dict[str, Any] | None:
        if len(given) <= fewest:
            return None
        values = each(given)
        return mean_entry(values[np.isfinite(values)], of=len(given))

    return compute


def _neighbours(given: FigureInput) -> Neighbourhood:
    count, features, rows = len(given), given.features, None
    assert features is not None
    refuse_useless(features)
    if count > given.most:
        rows = np.sort(np.random.default_rng(0).choice(count, given.most, replace=False))
    kept = tuple(k for k in (RANKED, MOST) if k < count)
    return neighbourhood(
        features, given.embedding, metric=given.metric, rows=rows, kept=kept, watch=given.watch
    )


def _trustworthiness(given: FigureInput) -> np.ndarray:
    found = given.once(_neighbours)
    return found.spread(found.trustworthiness())


def _continuity(given: FigureInput) -> np.ndarray:
    found = given.once(_neighbours)
    return found.spread(found.continuity())


def _kept(k: int) -> Callable[[FigureInput], np.ndarray]:
    def kept(given: FigureInput) -> np.ndarray:
        found = given.once(_neighbours)
        return found.spread(found.kept[k])

    return kept


def _too_few(k: int) -> str:
    return f"{{n:,}} patches are too few to look at {k} neighbours of each."


KEPT = QualityFigure(
    key="neighbours_kept",
    name=f"{RANKED} neighbours kept",
    full=f"Share of {RANKED} neighbours kept",
    column=f"{RANKED} NN kept",
    short="NN kept",
    compute=_mean_of(_kept(RANKED), 2 * RANKED),
    each=_kept(RANKED),
    value="mean",
    scale=PERCENT,
    question=NEIGHBOURS,
    needs_features=True,
    undefined=_too_few(RANKED),
    seconds=_seconds,
    help=f"Of the {RANKED} patches that look most alike to the network, how many are also "
    f"among the {RANKED} nearest on the map, on average over the patches. Two dimensions "
    "cannot keep all: maps of many patches keep a third to a half. By chance it would be "
    f"{RANKED} divided by the number of patches.",
    reference="as the kNN recall of Böhm et al. 2022",
)

KEPT_MORE = QualityFigure(
    key="neighbours_kept_50",
    name=f"{MOST} neighbours kept",
    full=f"Share of {MOST} neighbours kept",
    column=f"{MOST} NN kept",
    compute=_mean_of(_kept(MOST), 2 * MOST),
    each=_kept(MOST),
    value="mean",
    scale=PERCENT,
    headline=False,
    question=NEIGHBOURS,
    needs_features=True,
    undefined=_too_few(MOST),
    help=f"The same for {MOST} neighbours: whether the wider surroundings of a patch on the "
    "map are its surroundings among the features.",
    reference="as the kNN recall of Böhm et al. 2022",
)

TRUSTWORTHINESS = QualityFigure(
    key="trustworthiness",
    name="trustworthiness",
    scale=FINE,
    compute=_mean_of(_trustworthiness, 2 * RANKED),
    each=_trustworthiness,
    value="mean",
    headline=False,
    question=NEIGHBOURS,
    needs_features=True,
    undefined=_too_few(RANKED),
    help=f"Are the {RANKED} nearest patches on the map truly alike? 1 means that all of them "
    "are among the nearest in the features as well; a random map has 0.5. It falls where the "
    "map puts patches together that do not look alike to the network.",
    reference="Venna and Kaski 2001",
)

CONTINUITY = QualityFigure(
    key="continuity",
    name="continuity",
    scale=FINE,
    compute=_mean_of(_continuity, 2 * RANKED),
    each=_continuity,
    value="mean",
    headline=False,
    question=NEIGHBOURS,
    needs_features=True,
    undefined=_too_few(RANKED),
    help=f"Are the {RANKED} patches that look most alike near each other on the map? 1 means "
    "that all of them are; a random map has 0.5. It falls where the map tears apart what "
    "belongs together.",
    reference="Venna and Kaski 2001",
)
