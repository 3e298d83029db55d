"""A slide and the tiles that will be cut out of it, as layers of the viewer."""

from __future__ import annotations

import numpy as np
from napari.layers import Image
from napari.utils.colormaps import Colormap
from napari.viewer import Viewer

from napari_patchmap.patches.readers.slides.tiles import TilePlan
from napari_patchmap.plugin.canvas.looking import fit
from napari_patchmap.plugin.canvas.two_views import OVERLAY, PREVIEW
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.of_viewer import OfViewer
from napari_patchmap.plugin.source.painting import BoxPicture
from napari_patchmap.plugin.source.source_layers import find_slide, slide_layer

#: What is left out, what is taken, and the edges of the tiles (red, green, blue, opacity).
_COLOURS = [(0, 0, 0, 0.4), (0, 0, 0, 0), (1, 0.83, 0.1, 1)]


def tile_picture(plan: TilePlan) -> tuple[np.ndarray, int]:
    """Draw which parts of a slide are taken; return it with level-0 pixels per pixel.

    One picture, however many tiles there are: 20,000 shapes would be slow.
    """
    boxes = plan.boxes[["y", "x", "height", "width"]].to_numpy(np.int64)
    tiles = BoxPicture(boxes, np.zeros(len(boxes), np.intp), plan.shape)
    return tiles.draw_all(), tiles.step


class SlideLayers(OfViewer):
    """The picture of a slide with its tiles above it; one slide at a time.

    Coordinates in the viewer are pixels of the slide at full resolution.
    """

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer)
        self._map = MapLayer.of(viewer)
        self.slide: Image | None = None
        self.tiles: Image | None = None

    def show(self, plan: TilePlan, source: str, picture: np.ndarray, step: int) -> None:
        """Show a slide, or other tiles on the one that is shown, see :func:`tile_picture`.

        ``source`` is what the table of the patches will call this slide.
        """
        viewer = self.viewer
        known = find_slide(viewer, plan.path, source)
        if known is None or known is not self.slide:
            self.clear()
        self.slide = known
        if self.slide is None:
            self.slide = slide_layer(plan.picture, plan.scale, plan.path, source)
            self._map.views.show("source")  # where its tiles are to be seen
            self._map.views.add_source(self.slide)
            fit(viewer, [self.slide])
        if self.tiles is not None and self.tiles in viewer.layers:
            self.tiles.scale, self.tiles.translate = (step, step), [(step - 1) / 2] * 2
            self.tiles.data = picture
        else:
            self.tiles = Image(
                picture, name=f"{plan.path.name} (tiles)", scale=(step, step),
                translate=[(step - 1) / 2] * 2, contrast_limits=(-0.5, 2.5),
                colormap=Colormap(
                    _COLOURS, controls=[0, 1 / 3, 2 / 3, 1], interpolation="zero",
                    name="patchmap tiles",
                ),
                blending="translucent_no_depth", metadata={OVERLAY: True, PREVIEW: source},
            )  # fmt: skip
            # The tiles that are loaded give way while these are to be seen.
            self.tiles.events.visible.connect(self._map.places.refresh)
            viewer.add_layer(self.tiles)
            viewer.layers.selection.active = self.slide
        self.tiles.visible = self._map.views.now == "source"

    def on_view(self, view: str) -> None:
        """Follow the canvas from the map to the source and back."""
        if self.tiles is not None:
            self.tiles.visible = view == "source"

    def forget_tiles(self) -> None:
        """Take the tiles away; the slide stays."""
        tiles, self.tiles = self.tiles, None
        if tiles is not None and tiles in self.viewer.layers:
            self.viewer.layers.remove(tiles)

    def clear(self) -> None:
        """Take the slide and its tiles away."""
        self.forget_tiles()
        slide, self.slide = self.slide, None
        if slide is not None and slide in self.viewer.layers:
            self.viewer.layers.remove(slide)
