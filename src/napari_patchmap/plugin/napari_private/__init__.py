"""The only place that touches napari's private names; each has its reason.

napari offers no public way to its canvas, to what draws a layer, or to the order in which a
layer of points is painted and found. The canvas itself is needed; should another name go,
points are faded no longer, or moved in napari's own way, and the map stays.
"""

from napari_patchmap.plugin.napari_private.any_layer import twin_of, was_drawn_on
from napari_patchmap.plugin.napari_private.coded_colormap import CodedColormap
from napari_patchmap.plugin.napari_private.drawn_points import (
    markers_of,
    move_in_place,
    paint_in_place,
    replace_points,
    told_once,
)
from napari_patchmap.plugin.napari_private.hooked_points import HookedPoints
from napari_patchmap.plugin.napari_private.layer_list import choice_kept, cleaned_up_once
from napari_patchmap.plugin.napari_private.napari_canvas import (
    SecondCanvas,
    canvas_widget,
    free_where_it_was_drawn,
    welcome_text_top,
)

__all__ = [
    "CodedColormap",
    "HookedPoints",
    "SecondCanvas",
    "canvas_widget",
    "choice_kept",
    "cleaned_up_once",
    "free_where_it_was_drawn",
    "markers_of",
    "move_in_place",
    "paint_in_place",
    "replace_points",
    "told_once",
    "twin_of",
    "was_drawn_on",
    "welcome_text_top",
]
