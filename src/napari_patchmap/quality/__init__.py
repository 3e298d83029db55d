"""How good a map is: one file a figure, and a row in ``figures.py``."""

from napari_patchmap.quality.figures import FIGURES, defined_in
from napari_patchmap.quality.report import (
    Evaluation,
    add_training,
    evaluate,
    measure,
    report_lines,
)

__all__ = [
    "FIGURES",
    "Evaluation",
    "add_training",
    "defined_in",
    "evaluate",
    "measure",
    "report_lines",
]
