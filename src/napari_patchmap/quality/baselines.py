"""A scale beside each number: the same figure of a random map, of pixels, of the features."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from napari_patchmap.errors import TrainingStopped
from napari_patchmap.patches.watch import Watch
from napari_patchmap.quality.asked import AskedCheck, AskedMap
from napari_patchmap.quality.figure import AT_FIRST, FigureInput, QualityFigure, capitalised
from napari_patchmap.quality.figures import FIGURES
from napari_patchmap.quality.report import Evaluation, labelled_rows

#: What figures are computed of, in the order in which it is shown.
RANDOM, PIXELS, FEATURES = "random map", "map of pixels", "features"


def measure_baselines(given: FigureInput, pixels: np.ndarray | None = None) -> dict[str, Any]:
    """Compute figures of what a map can be compared with.

    Parameters
    ----------
    given : FigureInput
        Of the map; labels may be "".
    pixels : ndarray, shape (n, d), optional
        A map of the same patches' pixels.

    Returns
    -------
    dict
        For ``random map`` (the points of the map, given to patches at random), ``map of
        pixels`` and ``features`` (in the place of the map, where that makes sense) the
        entries of the figures that are defined, by key.
    """
    everyone = replace(given, most=min(given.most, AT_FIRST))
    keep = labelled_rows(given, [])
    found: dict[str, Any] = {}
    _add(found, everyone, pixels, [f for f in FIGURES if not f.needs_labels])
    if keep is not None:
        drawn = None if pixels is None else pixels[keep]
        _add(found, everyone.rows(keep), drawn, [f for f in FIGURES if f.needs_labels])
    return {name: found[name] for name in (RANDOM, PIXELS, FEATURES) if name in found}


def _add(
    found: dict[str, Any],
    given: FigureInput,
    pixels: np.ndarray | None,
    figures: list[QualityFigure],
) -> None:
    """Add figures of what a map of these patches can be compared with."""
    mixed = np.random.default_rng(0).permutation(len(given))
    maps = {RANDOM: replace(given, embedding=given.embedding[mixed])}
    if pixels is not None:
        maps[PIXELS] = replace(given, embedding=pixels)
    for figure in figures:
        if given.features is None and figure.needs_features:
            continue
        for name, of in maps.items() if figure.of_map else ():
            found.setdefault(name, {})[figure.key] = _short(figure.compute(of))
        if figure.in_features is not None and given.features is not None:
            found.setdefault(FEATURES, {})[figure.key] = _short(figure.in_features(given))


def _short(entry: dict[str, Any] | None) -> dict[str, Any] | None:
    return entry and {key: value for key, value in entry.items() if key != "per_class"}


def baseline_text(found: dict[str, Any], figure: QualityFigure) -> str:
    """Write a figure of everything that it is known of, "" if of nothing."""
    known = [
        (name, found[name])
        for name in (RANDOM, PIXELS, FEATURES)
        if name in found and found[name].get(figure.key)
    ]
    return "; ".join(f"{name} {figure.text(of, 'exact')}" for name, of in known)


def baseline_lines(found: dict[str, Any]) -> list[str]:
    """Say baselines in short lines for the command line."""
    texts = [(figure, baseline_text(found, figure)) for figure in FIGURES]
    lines = [f"  {capitalised(figure.full)}: {text}" for figure, text in texts if text]
    return ["To compare with:", *lines] if lines else []


def _answer(asked: AskedMap, _: object, watch: Watch) -> Evaluation:
    try:
        pixels = asked.pixel_map(asked.images(), watch)
    except TrainingStopped:
        return Evaluation({}, {})
    return Evaluation(
        {BASELINES.key: measure_baselines(replace(asked.figures(), watch=watch), pixels)}, {}
    )


BASELINES = AskedCheck(
    key="baselines",
    question="Compare with chance and pixels",
    answer=_answer,
    lines=baseline_lines,
    of_labels=lambda entry: True,
    help="Compute the same figures of a random map, of a map of the pixels (t-SNE, as long as "
    "the map's own), and of the features, and show them beside the numbers.",
    reference="the points of the map, given to patches at random, are what chance does",
)
