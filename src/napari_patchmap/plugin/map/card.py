"""The card of a patch under the mouse, the same on the map and on images."""

from __future__ import annotations

from napari.components.viewer_model import ViewerModel

from napari_patchmap.explore.words import caption
from napari_patchmap.plugin.canvas.overlay import CanvasOverlay
from napari_patchmap.plugin.map.shown_map import ShownMap
from napari_patchmap.plugin.qt.theme import qcolor

#: Side of the thumbnail under the mouse, in pixels.
SIDE = 112


def draw_card(
    owner: ShownMap, overlay: CanvasOverlay, viewer: ViewerModel, index: int,
    place: tuple[float, float],
) -> None:  # fmt: skip
    """Show a patch and what is known of it beside a place on a canvas.

    Parameters
    ----------
    owner : ShownMap
        The map of the patch, whose colour its card has.
    overlay, viewer : CanvasOverlay, ViewerModel
        The canvas that the mouse is on.
    index : int
        The patch.
    place : (x, y)
        In canvas pixels.
    """
    patches, colouring = owner.workspace.patches, owner.colouring
    if patches is None or colouring is None or index >= len(patches):
        return
    lines = [*owner.workspace.annotations.of(index), *caption(patches.table, index)]
    if patches.is_missing(index) and patches.pictured:
        lines.append("image missing")
    picture = owner.thumbnails.get(index, SIDE, overlay.devicePixelRatioF(), "card")
    if owner.thumbnails.trouble(index):
        lines.append("image cannot be read")
    frame = qcolor(colouring.colours[index, :3])
    overlay.draw_card(viewer, place, picture, lines, frame)
