"""Pictures of patches for Qt, made when they are first needed."""

from __future__ import annotations

import numpy as np
from qtpy.QtGui import QImage, QPixmap

from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.latest import Latest


class Thumbnails:
    """Thumbnails of one patch set, the latest ones kept.

    Parameters
    ----------
    keep : int
        How many are remembered.
    """

    def __init__(self, keep: int = 4_000) -> None:
        self._patches: PatchSet | None = None
        self._made: Latest[QPixmap] = Latest(keep)

    @property
    def patches(self) -> PatchSet | None:
        """Whose pictures these are."""
        return self._patches

    def set_patches(self, patches: PatchSet | None) -> None:
        """Forget the pictures of other patches."""
        self._patches = patches
        self._made.clear()

    def get(self, index: int, side: int, ratio: float = 1.0) -> QPixmap:
        """Return patch ``index``, ``side`` pixels long on a screen of that pixel ratio."""
        patches, pixels = self._patches, round(side * ratio)
        assert patches is not None
        picture = self._made.get(
            (index, pixels), lambda: to_pixmap(patches.thumbnail(index, pixels))
        )
        picture.setDevicePixelRatio(ratio)
        return picture


def to_pixmap(rgb: np.ndarray) -> QPixmap:
    """Turn a ``(height, width, 3)`` uint8 picture into a pixmap."""
    rgb = np.ascontiguousarray(rgb)
    height, width = rgb.shape[:2]
    image = QImage(rgb.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image)  # copies, so ``rgb`` may go
