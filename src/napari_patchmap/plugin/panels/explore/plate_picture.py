"""A plate as it lies on the table: a disc for each well, coloured by what is in it."""

from __future__ import annotations

import numpy as np
from napari.viewer import Viewer
from qtpy.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_patchmap.explore.colouring import scale_colours
from napari_patchmap.explore.plate_wells import WellFigure, head_names
from napari_patchmap.plugin.qt.modifiers import how_meant
from napari_patchmap.plugin.qt.theme import paint_scale, qcolor, theme_colour

#: Room for the names of rows and columns, and for the bar below, in pixels.
_HEAD, _BAR, _BELOW = 22, 10, 34

#: Sides of a well: the largest, and the least for which all columns are named.
_LARGEST, _NAMED = 34, 17

#: Smallest part of a ring that is drawn: an eighth, for a few of many patches.
_LEAST_ARC = 1 / 8


class PlatePicture(QWidget):
    """Rows and columns of wells; a ring shows how much of a well is selected.

    Signals
    -------
    picked(int, int, str)
        Row and column of a well that was clicked, -1 for a whole row or column, and what
        becomes of the selection.
    """

    picked = Signal(int, int, str)

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._figure: WellFigure | None = None
        self._selected = np.zeros((0, 0), np.intp)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Wells of the plate")

    def show_figure(self, figure: WellFigure) -> None:
        """Colour the wells by a figure."""
        changed = self._figure is None or self._figure.values.shape != figure.values.shape
        self._figure = figure
        if self._selected.shape != figure.values.shape:
            self._selected = np.zeros(figure.values.shape, np.intp)
        self.setAccessibleDescription(
            f"{figure.title}, {figure.said(figure.limits[0])} to "
            f"{figure.said(figure.limits[1])}, {int((figure.counts > 0).sum())} wells"
        )
        if changed:
            self.setFixedHeight(self._height(self.width()))
        self.update()

    def show_selected(self, counts: np.ndarray) -> None:
        """Show how many patches of each well, ``(rows, columns)``, are selected."""
        self._selected = counts
        self.update()

    # -- where things lie ---------------------------------------------------------------

    def _height(self, width: int) -> int:
        """Return the height at which the wells are round."""
        rows = 8 if self._figure is None else self._figure.values.shape[0]
        return int(_HEAD + rows * self._side(width) + 8 + _BAR + _BELOW)

    def resizeEvent(self, event: object) -> None:
        """Keep wells round in any width."""
        height = self._height(self.width())
        if height != self.height():
            self.setFixedHeight(height)

    def box_of(self, row: int, column: int) -> QRectF:
        """Return where a well is painted."""
        side = self._side(self.width())
        return QRectF(_HEAD + column * side, _HEAD + row * side, side, side)

    def _side(self, width: int) -> float:
        columns = 12 if self._figure is None else self._figure.values.shape[1]
        return min(_LARGEST, max(1.0, (width - _HEAD - 2) / columns))

    def _well_at(self, point: QPointF) -> tuple[int, int] | None:
        """Return row and column at a point, -1 in the heads; None where nothing is."""
        if self._figure is None:
            return None
        side, (rows, columns) = self._side(self.width()), self._figure.values.shape
        row = -1 if point.y() < _HEAD else int((point.y() - _HEAD) // side)
        column = -1 if point.x() < _HEAD else int((point.x() - _HEAD) // side)
        if row >= rows or column >= columns or (row < 0 and column < 0):
            return None
        return row, column

    # -- what people do -----------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Pick a well, or a row or column by its name."""
        well = self._well_at(event.position())
        if well is not None and event.button() == Qt.MouseButton.LeftButton:
            self.picked.emit(*well, how_meant(event.modifiers()))
        event.accept()

    def event(self, event: QEvent) -> bool:
        """Say what a well holds when the mouse rests on it."""
        if event.type() == QEvent.Type.ToolTip and self._figure is not None:
            well = self._well_at(QPointF(event.pos()))
            text = "Click: select. Shift adds, Alt takes away."
            if well is not None and min(well) >= 0:
                said = self._figure.tip(*well, int(self._selected[well]))
                text = f"{said}. {text}" if self._figure.counts[well] else said
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    # -- painting -----------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint names, wells, rings and the colour bar."""
        if self._figure is None:
            return
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_names(painter)
            self._paint_wells(painter, self._figure)
            self._paint_bar(painter, self._figure)
        finally:
            painter.end()

    def _paint_names(self, painter: QPainter) -> None:
        assert self._figure is not None
        rows, columns = head_names(self._figure.values.shape)
        side = self._side(self.width())
        font = painter.font()
        font.setPixelSize(int(np.clip(0.75 * side, 8, 12)))
        painter.setFont(font)
        painter.setPen(theme_colour(self._viewer, "text"))
        centre = Qt.AlignmentFlag.AlignCenter
        every = 1 if side >= _NAMED else 2
        for at, name in enumerate(rows):
            painter.drawText(QRectF(0, _HEAD + at * side, _HEAD, side), centre, name)
        for at in range(0, len(columns), every):
            box = QRectF(_HEAD + at * side - side, 0, 3 * side, _HEAD)
            painter.drawText(box, centre, columns[at])

    def _paint_wells(self, painter: QPainter, figure: WellFigure) -> None:
        steps = [qcolor(colour) for colour in scale_colours()]
        faint = theme_colour(self._viewer, "secondary")
        low, high = figure.limits
        side = self._side(self.width())
        for (row, column), value in np.ndenumerate(figure.values):
            box = self.box_of(row, column)
            inner = _inside(box, 0.14 * side)
            if not figure.counts[row, column]:
                painter.setPen(QPen(faint, 1))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawEllipse(inner)
                continue
            painter.setPen(Qt.PenStyle.NoPen)
            share = (value - low) / (high - low) if high > low else 0.0
            known = np.isfinite(value)
            at = round(float(np.clip(share, 0, 1)) * (len(steps) - 1)) if known else 0
            painter.setBrush(steps[at] if known else faint)
            painter.drawEllipse(inner)
            if self._selected[row, column]:
                part = self._selected[row, column] / figure.counts[row, column]
                self._paint_ring(painter, _inside(box, 0.07 * side), max(part, _LEAST_ARC))

    def _paint_ring(self, painter: QPainter, box: QRectF, part: float) -> None:
        """Draw the part of a ring that is selected; where wells are tiny, a fainter ring."""
        colour, side = theme_colour(self._viewer, "text"), self._side(self.width())
        tiny = side < _NAMED
        if tiny:
            colour.setAlphaF(0.3 + 0.7 * part)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, max(1.2, 0.1 * side)))
        painter.drawArc(box, 90 * 16, -round(360 * 16 * (1.0 if tiny else part)))

    def _paint_bar(self, painter: QPainter, figure: WellFigure) -> None:
        side, (rows, columns) = self._side(self.width()), figure.values.shape
        width = min(columns * side, self.width() - _HEAD - 2)
        bar = QRectF(_HEAD, _HEAD + rows * side + 8, width, _BAR)
        paint_scale(painter, bar)
        font = painter.font()
        font.setPixelSize(12)
        painter.setFont(font)
        painter.setPen(theme_colour(self._viewer, "text"))
        low, high = map(figure.said, figure.limits)
        metrics = painter.fontMetrics()
        room = width - metrics.horizontalAdvance(low + high) - 16
        title = metrics.elidedText(figure.title, Qt.TextElideMode.ElideMiddle, int(room))
        below = QRectF(bar.left(), bar.bottom() + 2, bar.width(), _BELOW - 12)
        for text, place in (
            (low, Qt.AlignmentFlag.AlignLeft),
            (title, Qt.AlignmentFlag.AlignHCenter),
            (high, Qt.AlignmentFlag.AlignRight),
        ):
            painter.drawText(below, place | Qt.AlignmentFlag.AlignVCenter, text)


def _inside(box: QRectF, margin: float) -> QRectF:
    return box.adjusted(margin, margin, -margin, -margin)
