"""A figure that no one needs: added to the list, it must be seen wherever figures are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from napari_patchmap.quality import FIGURES
from napari_patchmap.quality.figure import PERCENT, FigureInput, QualityFigure


def _compute(given: FigureInput) -> dict[str, Any]:
    assert given.features is not None
    assert len(given.features) == len(given.labels) == len(given)
    per_class = {str(name): {"share": 0.125, "n": 7} for name in set(given.labels)}
    return {"share": 0.25, "seen": len(given), "per_class": per_class}


TOY = QualityFigure(
    key="toy_key",
    name="toy figure",
    column="toy column",
    short="toy",
    compute=_compute,
    value="share",
    count="seen",
    needs_labels=True,
    needs_features=True,
    by_label=True,
    scale=PERCENT,
    basis="on {:,} toys",
    seconds=lambda n: 1000.0 * n,
    help="Toys are <always> right.",
    reference="Nobody 1900",
)


@contextmanager
def toy_listed() -> Iterator[QualityFigure]:
    """Add the figure to the list for a while."""
    FIGURES.append(TOY)
    try:
        yield TOY
    finally:
        FIGURES.remove(TOY)
