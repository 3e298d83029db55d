"""Whether the map of a run would be the same again: checks that are asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from napari_patchmap.augment.views import ViewMaker
from napari_patchmap.errors import QualityError
from napari_patchmap.networks.device import choose_device
from napari_patchmap.networks.pixels import PatchPixels
from napari_patchmap.patches import PatchSet
from napari_patchmap.quality import Evaluation
from napari_patchmap.quality.asked import AskedCheck, AskedWatch, check_usable, map_width
from napari_patchmap.quality.figure import FigureInput
from napari_patchmap.quality.other_layouts import OTHER_LAYOUTS, other_layouts
from napari_patchmap.quality.placed_again import PLACED_AGAIN, placed_again
from napari_patchmap.quality.view_pairs import (
    FEWEST_VIEWED,
    MOST_VIEWED,
    TWO_VIEWS,
    partner_ranks,
    views_entry,
)
from napari_patchmap.runs.placing import look_at
from napari_patchmap.runs.run import Run, metric_of

#: Why a map that is no t-SNE is not asked what is asked of one.
_BY_NETWORK = {
    PLACED_AGAIN.key: "A network placed these patches, by their images alone and not by their "
    "neighbours; two views of a patch say how firmly it lies.",
    OTHER_LAYOUTS.key: "A network placed these patches, so only another training would make "
    "the map again; a t-SNE of what it has learned can be asked this.",
}

#: Patches of which views are looked at at once.
_PART = 250


def why_not(run: Run, check: AskedCheck, patches: PatchSet | None) -> str:
    """Say in a sentence why a check cannot be made of a run, "" if it can."""
    if not run.dimensions:
        return "This run has no features, so this cannot be found out; train it again."
    if check is TWO_VIEWS:
        if patches is None or len(patches.missing) == len(run):
            return "Views are made of the images; say where those are, then ask again."
        return ""
    if run.layout != "tsne":
        return _BY_NETWORK[check.key]
    return ""


def find_out(
    run: Run, check: AskedCheck, patches: PatchSet | None = None, look: AskedWatch | None = None
) -> Evaluation:
    """Make a check of a run's map.

    Parameters
    ----------
    run : Run
    check : AskedCheck
        Of :data:`~napari_patchmap.quality.asked_checks.CHECKS`.
    patches : PatchSet, optional
        Row i is that of the run; for what needs images.
    look : callable, optional
        See :data:`~napari_patchmap.quality.asked.AskedWatch`.

    Returns
    -------
    Evaluation
        Its entry and its numbers of patches, of what was found out by then; nothing of
        both where it was ended at once.

    Raises
    ------
    QualityError
        If it cannot be made.
    """
    if reason := why_not(run, check, patches):
        raise QualityError(reason)
    given = FigureInput(
        run.embedding, None, run.features, metric=metric_of(run.config, run.layout)
    )
    if check is TWO_VIEWS:
        assert patches is not None
        return _two_views(run, given, patches, look)
    laid_out = placed_again if check is PLACED_AGAIN else other_layouts
    return laid_out(given, run.config.train.tsne(), look)


def _two_views(
    run: Run, given: FigureInput, patches: PatchSet, look: AskedWatch | None
) -> Evaluation:
    """Look at two views of patches, made with the run's own augmentations."""
    pool = check_usable(given, FEWEST_VIEWED, "compare two views of patches")
    there = np.setdiff1d(np.arange(len(run)), patches.missing)
    rows = np.random.default_rng(0).permutation(there)[:MOST_VIEWED]
    same = replace(patches, intensity=run.images.intensity, fit=patches.fit or run.images.fit)
    size = run.network.spec.size
    pixels = PatchPixels(same, size)
    maker = ViewMaker(run.config.augment, is_rgb=same.is_rgb, fill=same.border_colour(size))
    generator = torch.Generator().manual_seed(0)
    device = choose_device("cpu" if run.config.train.device == "cpu" else "auto").target
    by_features, by_map, apart = [], [], []
    found = Evaluation({}, {})
    for start in range(0, len(rows), _PART):
        if look is not None and look(found if start else None, start, len(rows)):
            return found
        some = rows[start : start + _PART]
        images = pixels[torch.from_numpy(some)]
        views = torch.cat([maker(images, generator) for _ in range(2)])
        features, places = look_at(
            run.network,
            views.mul(255).round().byte(),
            device,
            precision=getattr(torch, run.info.get("half") or "float32"),
            symmetries=run.symmetries,
            watch=None,
        )
        first, second = np.split(features, 2)
        by_features.append(partner_ranks(first, second, pool, some, given.metric))
        if run.layout == "network":
            first, second = np.split(places, 2)
            by_map.append(partner_ranks(first, second, run.embedding, some, "euclidean"))
            apart.append(np.linalg.norm(first - second, axis=1) / map_width(run.embedding))
        found = _known(rows[: start + len(some)], by_features, by_map, apart, len(run))
    if look is not None:
        look(found, len(rows), len(rows))
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
    if by_map:
        ranks = np.concatenate(by_map)
        entry |= {
            "map": views_entry(ranks, count),
            "apart": float(np.median(np.concatenate(apart))),
        }
    column = np.full(count, np.nan, np.float32)
    column[rows] = ranks
    return Evaluation({TWO_VIEWS.key: entry}, {TWO_VIEWS.key: column})
