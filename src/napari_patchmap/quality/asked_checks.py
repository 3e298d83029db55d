"""All checks that are asked for; panel, command line and report go through this list."""

from __future__ import annotations

from napari_patchmap.quality.asked import AskedCheck
from napari_patchmap.quality.baselines import BASELINES
from napari_patchmap.quality.batch_check import BATCH
from napari_patchmap.quality.curve_words import LABEL_CURVE
from napari_patchmap.quality.other_layouts import OTHER_LAYOUTS
from napari_patchmap.quality.placed_again import PLACED_AGAIN
from napari_patchmap.quality.prediction_words import PREDICTION
from napari_patchmap.quality.view_pairs import TWO_VIEWS

#: In the order in which they are shown.
CHECKS: tuple[AskedCheck, ...] = (
    BASELINES, PLACED_AGAIN, OTHER_LAYOUTS, TWO_VIEWS, PREDICTION, LABEL_CURVE, BATCH
)  # fmt: skip

#: The same by their keys.
CHECK_OF = {check.key: check for check in CHECKS}
