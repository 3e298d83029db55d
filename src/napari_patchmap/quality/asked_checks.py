"""All checks that are asked for; panel, command line and report go through this list."""

from __future__ import annotations

from napari_patchmap.quality.asked import AskedCheck
from napari_patchmap.quality.other_layouts import OTHER_LAYOUTS
from napari_patchmap.quality.placed_again import PLACED_AGAIN
from napari_patchmap.quality.view_pairs import TWO_VIEWS

#: In the order in which they are shown.
CHECKS: tuple[AskedCheck, ...] = (PLACED_AGAIN, OTHER_LAYOUTS, TWO_VIEWS)
