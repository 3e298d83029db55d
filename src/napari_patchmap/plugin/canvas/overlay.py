"""A sheet over napari's canvas, for what must follow the mouse at once."""

from __future__ import annotations

from dataclasses import dataclass

from napari.components.viewer_model import ViewerModel
from qtpy.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen, QPixmap, QPolygonF
from qtpy.QtWidgets import QWidget

from napari_patchmap.plugin.napari_private import canvas_widget
from napari_patchmap.plugin.qt.framed import paint_framed, size_of
from napari_patchmap.plugin.qt.theme import contrast, theme_colour

#: Smallest side of the frame around the current patch in canvas pixels.
_SMALLEST_BOX = 16.0

#: Colour of what the mouse is over on another canvas: neither the current one nor selected.
_HINT = QColor("#4dd0ff")


@dataclass(frozen=True)
class Picture:
    """A patch painted at its place on the map, in canvas pixels (x, y)."""

    patch: int
    place: tuple[float, float]
    pixmap: QPixmap
    frame: QColor
    faded: bool
    current: bool


class CanvasOverlay(QWidget):
    """Draws patches, the lasso and the card under the mouse; lets all events through.

    Signals
    -------
    resized()
        The canvas has another size.
    left()
        The mouse has left the canvas.
    """

    resized = Signal()
    left = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        canvas = canvas_widget(viewer)
        super().__init__(canvas)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self._path: list[tuple[float, float]] = []
        self.pictures: list[Picture] = []
        #: Corners of the frame around the current patch, in canvas pixels (x, y).
        self.box: list[tuple[float, float]] = []
        #: Lines around what the mouse is over on another canvas, likewise.
        self.hints: list[list[tuple[float, float]]] = []
        self._card: tuple[QPointF, QPixmap, list[str], QColor] | None = None
        self._colours(viewer)
        canvas.installEventFilter(self)
        self.resize(canvas.size())
        self.hide()

    def _colours(self, viewer: ViewerModel) -> None:
        self._line = QColor(contrast(viewer))
        self._paper = theme_colour(viewer, "background")
        self._ink = theme_colour(viewer, "text")

    def draw_pictures(self, pictures: list[Picture]) -> None:
        """Show patches at their places, the last one on top."""
        if pictures or self.pictures:
            self.pictures = pictures
            self._show()

    def draw_box(self, corners: list[tuple[float, float]]) -> None:
        """Frame a patch in its image; no corners take the frame away."""
        if corners or self.box:
            self.box = corners
            self._show()

    def draw_hints(self, outlines: list[list[tuple[float, float]]]) -> None:
        """Point out what the mouse is over on another canvas; none take it away."""
        if outlines or self.hints:
            self.hints = outlines
            self._show()

    def start_lasso(self, viewer: ViewerModel, start: tuple[float, float]) -> None:
        """Draw the way of the mouse from a place in canvas pixels (x, y) on.

        The mouse is followed here, because napari leaves out movements that
        come quickly one after another.
        """
        self._colours(viewer)
        self._path = [start]
        self._show()

    def end_lasso(self) -> list[tuple[float, float]]:
        """Take the path away and return it, in canvas pixels (x, y)."""
        path, self._path = self._path, []
        self._show()
        return path

    def draw_card(
        self,
        viewer: ViewerModel,
        place: tuple[float, float],
        picture: QPixmap,
        lines: list[str],
        frame: QColor,
    ) -> None:
        """Show a patch and a few words beside a place on the canvas."""
        self._colours(viewer)
        self._card = (QPointF(*place), picture, lines, frame)
        self._show()

    def clear_card(self) -> None:
        """Take the card away."""
        if self._card is not None:
            self._card = None
            self._show()

    @property
    def has_card(self) -> bool:
        """Whether a card is shown."""
        return self._card is not None

    @property
    def drawing(self) -> bool:
        """Whether a lasso is being drawn."""
        return bool(self._path)

    def _show(self) -> None:
        drawn = self._path or self.pictures or self.box or self.hints
        self.setVisible(bool(drawn) or self._card is not None)
        self.raise_()
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the canvas and the mouse; forget the card when the mouse leaves."""
        if event.type() == QEvent.Type.Resize and watched is self.parent():
            self.resize(self.parentWidget().size())
            self.resized.emit()
        elif self._path and event.type() == QEvent.Type.MouseMove:
            self._path.append((event.position().x(), event.position().y()))
            self.update()
        elif event.type() == QEvent.Type.Leave:
            self.clear_card()
            self.left.emit()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the lasso, then the card over it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for picture in self.pictures:
            self._paint_picture(painter, picture)
        if self.box:
            self._paint_box(painter)
        for outline in self.hints:
            self._paint_hint(painter, outline)
        if len(self._path) > 1:
            self._paint_lasso(painter)
        if self._card is not None:
            self._paint_card(painter, *self._card)
        painter.end()

    def _paint_picture(self, painter: QPainter, picture: Picture) -> None:
        ring, opacity = self._line if picture.current else None, 0.3 if picture.faded else 1.0
        middle = QPointF(*picture.place)
        paint_framed(painter, middle, picture.pixmap, picture.frame, ring, opacity)

    def _paint_box(self, painter: QPainter) -> None:
        corners = [QPointF(*corner) for corner in self.box]
        middle = sum(corners, QPointF()) / len(corners)
        reach = max((corner - middle).manhattanLength() for corner in corners) / 2
        # Far away a patch is a speck; its frame stays large enough to be found.
        grow = max(1.0, _SMALLEST_BOX / 2 / max(reach, 1e-6))
        frame = QPolygonF([middle + (corner - middle) * grow for corner in corners])
        painter.setBrush(Qt.BrushStyle.NoBrush)
        # A light line on a dark one stands out from any image.
        for colour, width in ((QColor(0, 0, 0, 190), 5.0), (QColor("white"), 2.2)):
            painter.setPen(QPen(colour, width))
            painter.drawPolygon(frame)

    def _paint_hint(self, painter: QPainter, outline: list[tuple[float, float]]) -> None:
        around = QPolygonF([QPointF(*corner) for corner in outline])
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((QColor(0, 0, 0, 190), 4.0), (_HINT, 2.0)):
            painter.setPen(QPen(colour, width))
            painter.drawPolygon(around)

    def _paint_lasso(self, painter: QPainter) -> None:
        outline = QPainterPath(QPointF(*self._path[0]))
        for point in self._path[1:]:
            outline.lineTo(QPointF(*point))
        inside = QColor(self._line)
        inside.setAlpha(28)
        painter.fillPath(outline, inside)
        painter.setPen(QPen(self._line, 1.6))
        painter.drawPath(outline)
        # The closing side is what will be joined when the button is released.
        painter.setPen(QPen(self._line, 1.0, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(*self._path[-1]), QPointF(*self._path[0]))

    def _paint_card(
        self,
        painter: QPainter,
        place: QPointF,
        picture: QPixmap,
        lines: list[str],
        frame: QColor,
    ) -> None:
        margin, metrics = 6, painter.fontMetrics()
        size = size_of(picture)
        wide, high = size.width(), size.height()
        lines = [metrics.elidedText(t, Qt.TextElideMode.ElideMiddle, 200) for t in lines]
        width = max([wide, *(metrics.horizontalAdvance(t) for t in lines)]) + 2 * margin
        height = high + 2 * margin + len(lines) * metrics.height() + (2 if lines else 0)
        x = place.x() + 16 if place.x() + 20 + width < self.width() else place.x() - 16 - width
        x = max(4.0, min(x, self.width() - width - 4))  # on a narrow canvas over the place
        y = min(max(place.y() - height / 2, 4), self.height() - height - 4)
        box = QRectF(x, y, width, height)
        self._paper.setAlpha(240)
        painter.setBrush(self._paper)
        painter.setPen(QPen(frame, 2))
        painter.drawRoundedRect(box, 5, 5)
        painter.drawPixmap(QPointF(x + (width - wide) / 2, y + margin), picture)
        painter.setPen(self._ink)
        for row, text in enumerate(lines):
            top = y + margin + high + 2 + row * metrics.height()
            painter.drawText(
                QRectF(x, top, width, metrics.height()), Qt.AlignmentFlag.AlignCenter, text
            )
