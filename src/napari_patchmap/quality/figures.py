"""All quality figures; every report, table, panel and picture goes through this list."""

from __future__ import annotations

from typing import Any

from napari_patchmap.quality.figure import QualityFigure
from napari_patchmap.quality.group_distances import GROUP_ORDER
from napari_patchmap.quality.kept_neighbours import (
    CONTINUITY,
    KEPT,
    KEPT_MORE,
    TRUSTWORTHINESS,
)
from napari_patchmap.quality.knn import BALANCED, KNN, KNN_OF_FEATURES, MACRO_F1
from napari_patchmap.quality.silhouette import SILHOUETTE
from napari_patchmap.quality.voting import PURITY

#: In the order in which they are shown.
FIGURES: list[QualityFigure] = [
    KNN,
    SILHOUETTE,
    KNN_OF_FEATURES,
    BALANCED,
    MACRO_F1,
    PURITY,
    KEPT,
    KEPT_MORE,
    TRUSTWORTHINESS,
    CONTINUITY,
    GROUP_ORDER,
]


def defined_in(metrics: dict[str, Any]) -> list[QualityFigure]:
    """Return the figures that a map has."""
    return [figure for figure in FIGURES if metrics.get(figure.key)]
