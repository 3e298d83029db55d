"""The patch that is looked at, as large as there is room."""

from __future__ import annotations

from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QPainter, QPaintEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_patchmap.explore.words import caption
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.qt.framed import paint_framed
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.qt.theme import qcolor, theme_colour

#: Pictures are read in sizes that are multiples of this, so that dragging reads few of them.
_STEP = 64

#: Room around the picture, for its frame and the words below it, in pixels.
_MARGIN = 12


class PatchLarge(QWidget):
    """Paints the current patch in its frame, with what is known of it below."""

    def __init__(self, owner: MapLayer) -> None:
        super().__init__()
        self._owner = owner
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        subscribe(self, owner.workspace.current_changed, self._on_change)
        subscribe(self, owner.workspace.annotations_changed, self._on_change)
        subscribe(self, owner.colouring_changed, self._on_change)
        subscribe(self, owner.thumbnails.arrived, self._on_change)

    def _on_change(self, *_: object) -> None:
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the patch, or nothing while none is looked at."""
        owner, workspace = self._owner, self._owner.workspace
        patches, index, colouring = workspace.patches, workspace.current, owner.colouring
        if patches is None or index < 0 or colouring is None:
            return
        ratio = self.devicePixelRatioF()
        lines = [*workspace.annotations.of(index), *caption(patches.table, index)]
        words = len(lines) * self.fontMetrics().height()
        room = QSize(self.width() - 2 * _MARGIN, self.height() - 3 * _MARGIN - words)
        side = min(room.width(), room.height())
        if side < _STEP:
            return
        asked = -(-side // _STEP) * _STEP
        picture = owner.thumbnails.get(index, asked, ratio, "image").scaled(
            QSize(side, side) * ratio, Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )  # fmt: skip
        picture.setDevicePixelRatio(ratio)
        middle = QPointF(self.width() / 2, _MARGIN + side / 2)
        frame = qcolor(colouring.colours[index, :3])
        painter = QPainter(self)
        paint_framed(painter, middle, picture, frame, None)
        painter.setPen(theme_colour(owner.viewer, "text"))
        below = QRectF(_MARGIN, 2 * _MARGIN + side, room.width(), words)
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter, "\n".join(lines))
        painter.end()
