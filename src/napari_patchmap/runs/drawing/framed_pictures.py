"""Pictures of patches on a page, each in a frame of its colour; never flipped."""

from __future__ import annotations

import numpy as np

from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import Watch
from napari_patchmap.runs.drawing.legend_page import LegendPage

#: Width of a frame: a share of the picture's side, and at least so many points.
_THICK, _THIN = 0.06, 0.5


class FramedPictures:
    """Puts pictures on a page.

    Each lies on whole pixels of the page's resolution, at which it was made, so that it is
    as sharp as it can be. In SVG and PDF it is a picture of its own, to be moved by hand.
    """

    def __init__(self, page: LegendPage, patches: PatchSet, watch: Watch) -> None:
        self._page, self._patches, self._watch = page, patches, watch
        self._dot = 72 / page.config.dpi

    def put(
        self, patch: int, x: float, y: float, side: float, colour: np.ndarray | None = None
    ) -> None:
        """Put a patch into a square whose upper left corner and side are in points.

        Without a colour there is no frame. What is not square lies in the middle.
        """
        self._watch.check()
        picture = self._patches.thumbnail(int(patch), self.room(side, colour))
        self.put_pixels(picture, x, y, side, colour)

    def room(self, side: float, colour: np.ndarray | None) -> int:
        """Return how long a picture is within a square and its frame, in pixels of the page."""
        frame = 0 if colour is None else self.frame(side)
        return max(1, int(side / self._dot + 1e-6) - 2 * frame)

    def put_pixels(
        self, rgb: np.ndarray, x: float, y: float, side: float, colour: np.ndarray | None = None
    ) -> None:
        """Put a picture, uint8 (height, width, 3), of the resolution of the page there."""
        from matplotlib.image import AxesImage
        from matplotlib.patches import Rectangle

        paper, dot = self._page.paper, self._dot
        frame = 0 if colour is None else self.frame(side)
        high, wide = rgb.shape[:2]
        whole = int(side / dot + 1e-6)
        left = round(x / dot) + (whole - wide) // 2
        top = round(y / dot) + (whole - high) // 2
        if colour is not None:
            corner = (left - frame) * dot, (top - frame) * dot
            sides = (wide + 2 * frame) * dot, (high + 2 * frame) * dot
            paper.add_patch(
                Rectangle(corner, *sides, facecolor=colour, linewidth=0, zorder=4,
                          antialiased=False)
            )  # fmt: skip
        picture = AxesImage(
            paper, origin="upper", interpolation="none", zorder=5,
            extent=(left * dot, (left + wide) * dot, (top + high) * dot, top * dot),
        )  # fmt: skip
        picture.set_data(rgb)
        paper.add_artist(picture)

    def frame(self, side: float) -> int:
        """Return how wide the frame of a picture is, in pixels of the page."""
        return max(1, round(max(_THICK * side, _THIN) / self._dot))
