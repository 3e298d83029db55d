"""All that patches are on the images of one canvas: brought out, pointed at, drawn around."""

from __future__ import annotations

from napari.components.viewer_model import ViewerModel

from napari_patchmap.plugin.canvas.listening import Listening
from napari_patchmap.plugin.canvas.overlay import CanvasOverlay
from napari_patchmap.plugin.map.image_mouse import ImageMouse
from napari_patchmap.plugin.map.shown_map import ShownMap
from napari_patchmap.plugin.source.class_painter import ClassPainter
from napari_patchmap.plugin.source.highlights import Places, ShowsImages
from napari_patchmap.plugin.source.image_colours import ImageColours


class OnImages:
    """What is done on the images of a viewer, be it that of the window or one beside it.

    Whatever else is painted on images, made from a viewer and the images it shows, belongs
    here: it is then to be seen on either canvas.

    Attributes
    ----------
    places : Places
        Brings out the selected patches, and finds patches.
    painter : ClassPainter
        Paints the colours of the map on them.
    mouse : ImageMouse
        Clicks, lasso and hovering.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        owner: ShownMap,
        images: ShowsImages,
        overlay: CanvasOverlay,
        colours: ImageColours,
    ) -> None:
        self.places = Places(viewer, owner.workspace, images, overlay)
        self.painter = ClassPainter(viewer, images, self.places, colours, overlay)
        self.mouse = ImageMouse(viewer, owner, self.places, overlay)

    def leave(self) -> None:
        """Follow nothing any more: the canvas goes."""
        parts: tuple[Listening, ...] = (self.painter, self.places, self.mouse)
        for part in parts:
            part.leave()
