"""Odd patches and artefacts: few are like them, by their features or by their pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.errors import FindError
from napari_patchmap.find.patch_faults import FAULTS, beyond, measured_faults
from napari_patchmap.find.rough_neighbours import rough_neighbours
from napari_patchmap.find.search import FEWEST, INDEX, FindInput, Found, Search
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.settings import Config, setting

#: The columns of the patches.
ODDNESS, BECAUSE = "oddness", "odd because"

#: What is said of a patch that few others are near.
ALONE = "unlike its neighbours"

#: Per cent of the time that measuring pixels takes.
_PIXELS = 40

#: Robust standard deviations from which on a measure is a reason, if it is rare, too.
_BEYOND = 2.5


@dataclass(frozen=True)
class OddConfig(Config):
    """How odd patches are looked for."""

    neighbours: int = setting(
        15, "Nearest patches among the features that tell how crowded it is around each; a "
        "group of odd ones that is larger is not odd by its features.",
        low=3, high=200,
    )  # fmt: skip
    share: float = setting(
        0.5, "A measure is a reason for so many patches at most.",
        low=0.01, high=10.0, unit="%", label="Rare is",
    )  # fmt: skip
    listed: int = setting(200, "Patches in the list.", low=10, high=10_000, rare=True)


def find_odd(given: FindInput, config: OddConfig, watch: Watch) -> Found:
    """Rank patches by how rare the rarest thing about them is, and say what that is.

    Measured are the local outlier factor of the features and, where the images are to be
    had, what may be wrong with pixels (:mod:`napari_patchmap.find.patch_faults`).

    Raises
    ------
    FindError
        If there are fewer than 20 patches, all are alike, or neither features nor images.
    """
    if len(given) < FEWEST or given.patches is None:
        given.usable_features()
    measures: dict[str, np.ndarray] = {}
    missing = 0
    if given.patches is not None:
        found = measured_faults(given.patches, watch.part(0, _PIXELS))
        missing = int(np.isnan(found["edges"]).sum())
        measures = {
            fault.words: beyond(found[fault.measure], fault.sign)
            for fault in FAULTS
            if fault.measure in found
        }
    has_features = given.features is not None and given.features.shape[1] > 0
    if has_features and not watch.stops:
        factor = outlier_factor(given, config.neighbours, watch.part(_PIXELS, 99))
        measures = {ALONE: beyond(np.log(factor), 1), **measures}
    if not any(values.any() for values in measures.values()):
        raise FindError("All patches are alike, so none of them is odd.")
    report = {"n": len(given), "no image": missing, "features": has_features}
    return _found(measures, config, report, given.patches is None, watch.stops)


def outlier_factor(given: FindInput, neighbours: int, watch: Watch = UNWATCHED) -> np.ndarray:
    """Return the local outlier factor of each patch by its features, (n,).

    How much less crowded it is around a patch than around its neighbours; about 1 within a
    crowd (Breunig, Kriegel, Ng and Sander, "LOF: identifying density-based local outliers",
    SIGMOD 2000). Of many patches nearly all neighbours are the nearest ones.
    """
    features = given.usable_features()
    count = min(neighbours, len(features) - 1)
    near, apart = rough_neighbours(features, count, given.metric, watch)
    known = near >= 0
    near = np.where(known, near, 0)
    edge = np.where(known, apart, 0).max(axis=1)
    reach = np.where(known, np.maximum(apart, edge[near]), 0)
    counts = known.sum(axis=1)
    least = max(float(np.median(edge)) * 1e-6, float(np.finfo(np.float32).tiny))
    spacing = np.maximum(reach.sum(axis=1) / np.maximum(counts, 1), least)
    around = np.where(known, 1 / spacing[near], 0).sum(axis=1) / np.maximum(counts, 1)
    return np.where(counts > 0, around * spacing, 1.0)


def _found(
    measures: dict[str, np.ndarray],
    config: OddConfig,
    report: dict[str, Any],
    blind: bool,
    stopped: bool,
) -> Found:
    n = report["n"]
    because = np.full(n, "", object)
    rarest, second = np.zeros(n), np.zeros(n)
    counts = {}
    for words, values in measures.items():
        rare = -np.log10(_as_far(values))
        second = np.maximum(second, np.minimum(rarest, rare))
        rarest = np.maximum(rarest, rare)
        named = (rare >= -np.log10(config.share / 100)) & (values >= _BEYOND)
        counts[words] = int(named.sum())
        because[named] = [f"{one}, {words}" if one else words for one in because[named]]
    order = np.lexsort((np.arange(n), -second, -rarest))
    oddness = np.empty(n, np.float32)
    oddness[order] = np.linspace(1, 0, n)
    some = order[because[order] != ""][: config.listed]
    listed = pd.DataFrame({INDEX: some, "score": oddness[some], "reason": because[some]})
    report |= {"odd": int((because != "").sum()), "reasons": counts}
    lines = _lines(report, blind, stopped)
    return Found({ODDNESS: oddness, BECAUSE: because}, listed, report, lines)


def _as_far(values: np.ndarray) -> np.ndarray:
    """Return which share of the patches is at least as far beyond the others as each, (n,)."""
    order = np.sort(values)
    far = len(values) - np.searchsorted(order, values, side="left")
    return np.asarray(far / len(values))


def _lines(report: dict[str, Any], blind: bool, stopped: bool) -> tuple[str, ...]:
    said = [
        f"{count:,} {words}"
        for words, count in sorted(report["reasons"].items(), key=lambda one: -one[1])
        if count
    ]
    lines = ["Stopped; this is what was measured so far."] if stopped else []
    lines.append(f"{report['odd']:,} of {report['n']:,} patches are odd in some way.")
    if said:
        lines.append("; ".join(said) + ".")
    if blind:
        lines.append("The images are not there, so only the features were looked at.")
    elif report["no image"]:
        lines.append(f"{report['no image']:,} patches have no image any more.")
    if not report["features"]:
        lines.append("There are no features, so only pixels were looked at.")
    lines.append("Rare is not wrong: look at them before they are left out.")
    return tuple(lines)


ODD = Search(
    key="odd",
    title="Odd ones",
    question="Which patches are unlike all others, or damaged?",
    config=OddConfig,
    find=find_odd,
    help="Patches are ranked by how rare the rarest thing about them is. Of the features that "
    "is how alone a patch is (local outlier factor, Breunig et al. 2000); of the pixels, "
    "whether it is blurred, empty, saturated, cut at the border, of unusual colour or size, or "
    "has hard edges or a line across, each beside the whole set.",
)
