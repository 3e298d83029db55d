"""The card that ? opens: all keys, in groups, over the window."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

from napari.viewer import Viewer
from qtpy.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, QSizeF, Qt
from qtpy.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from qtpy.QtWidgets import QWidget

from napari_patchmap.plugin.actions import GESTURES, GROUPS
from napari_patchmap.plugin.napari_private import canvas_widget
from napari_patchmap.plugin.qt.theme import theme_colour

#: Room around the card, inside it and between columns, in pixels.
_AROUND, _INSIDE, _BETWEEN = 12.0, 24.0, 34.0

#: How many columns, and how many points the letters are smaller than the window's: the first
#: that fits is taken.
_FORMS = [(2, 0.0), (2, 1.0), (3, 1.0), (3, 2.0), (3, 3.0), (4, 3.0)]

#: Smallest letters, in points.
_SMALLEST = 6.0

_TITLE, _FOOT = "Keys and mouse", "Esc, ? or a click closes this."

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter

Group = tuple[str, tuple[tuple[str, str], ...]]


def listed() -> list[Group]:
    """Return all groups with their keys, and what each does."""
    groups: list[Group] = [
        (title, tuple((action.shown, action.does) for action in actions))
        for title, actions in GROUPS.items()
    ]
    return [*groups, ("Mouse", tuple(GESTURES.items()))]


class HelpCard(QWidget):
    """Lies over the whole window while it is open; a click or a key puts it away."""

    def __init__(self, viewer: Viewer) -> None:
        self._canvas = canvas_widget(viewer)
        super().__init__(self._canvas.window())
        self._viewer = weakref.ref(viewer)
        self._before: weakref.ref[QWidget] | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(_TITLE)
        self.setAccessibleDescription(
            ". ".join(f"{key}: {does}" for _, rows in listed() for key, does in rows)
        )
        self.parentWidget().installEventFilter(self)
        self.hide()

    def toggle(self) -> None:
        """Open the card, or put it away."""
        if self.isVisible():
            self.put_away()
            return
        focus = self.window().focusWidget()
        self._before = None if focus is None else weakref.ref(focus)
        self.setGeometry(self.parentWidget().rect())
        self.show()
        self.raise_()
        self.setFocus()

    def form_in(self, width: int, height: int) -> _Form:
        """Return how the card is laid out in a window of so many pixels."""
        return _fitting(self.font(), QSizeF(width, height))

    def put_away(self) -> None:
        """Close the card; whoever had the keyboard has it again."""
        self.hide()
        before = None if self._before is None else self._before()
        (self._canvas if before is None else before).setFocus()

    # -- events ------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close on Esc; other keys are only read here, not done."""
        if event.key() == Qt.Key.Key_Escape:
            self.put_away()
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Close."""
        self.put_away()
        event.accept()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the size of the window."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self.setGeometry(self.parentWidget().rect())
        return False

    # -- painting ----------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Darken the window and paint the card."""
        viewer = self._viewer()
        if viewer is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(0, 0, 0, 70))
        form = self.form_in(self.width(), self.height())
        middle = self._canvas.mapTo(self.window(), self._canvas.rect().center())
        form.paint(painter, _beside(self, form.size, middle), _Colours(viewer))
        painter.end()


class _Colours:
    """Those of the theme that the card is painted in."""

    def __init__(self, viewer: Viewer) -> None:
        self.paper = theme_colour(viewer, "background")
        self.paper.setAlpha(240)
        self.ink = theme_colour(viewer, "text")
        self.faint = QColor(self.ink)
        self.faint.setAlpha(150)
        self.cap = theme_colour(viewer, "foreground")
        self.edge = theme_colour(viewer, "primary")
        self.accent = theme_colour(viewer, "current")
        dark = self.paper.lightness() < 128
        self.accent = self.accent.lighter(150) if dark else self.accent.darker(190)


@dataclass
class _Form:
    """The card in so many columns and such letters, laid out."""

    columns: int
    font: QFont
    strong: QFont = field(init=False)
    title: QFont = field(init=False)

    def __post_init__(self) -> None:
        self.strong, self.title = QFont(self.font), QFont(self.font)
        self.strong.setWeight(QFont.Weight.DemiBold)
        self.title.setWeight(QFont.Weight.DemiBold)
        self.title.setPointSizeF(self.font.pointSizeF() * 1.4)
        metrics = QFontMetricsF(self.font)
        self._metrics, self._line = metrics, metrics.height() * 1.45
        self._groups = _in_columns(listed(), self.columns)
        groups = [[row for _, rows in column for row in rows] for column in self._groups]
        self._caps = [max(self._cap(key) for key, _ in rows) for rows in groups]
        self._texts = [
            max(metrics.horizontalAdvance(does) for _, does in rows) for rows in groups
        ]
        width = sum(self._caps) + sum(self._texts) + 12 * self.columns
        width += 2 * _INSIDE + _BETWEEN * (self.columns - 1)
        height = max(_length(column) for column in self._groups) * self._line
        self.size = QSizeF(width, height + self._head + 2 * _INSIDE)

    @property
    def _head(self) -> float:
        return 2.0 * self._line

    def _cap(self, key: str) -> float:
        return self._metrics.horizontalAdvance(key) + 14

    def paint(self, painter: QPainter, at: QPointF, colours: _Colours) -> None:
        card = QRectF(at, self.size)
        for far, dark in ((9, 14), (6, 20), (3, 30)):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(0, 0, 0, dark))
            painter.drawRoundedRect(card.adjusted(-far, -far + 3, far, far + 3), 14, 14)
        painter.setBrush(colours.paper)
        painter.setPen(QPen(colours.edge, 1))
        painter.drawRoundedRect(card, 10, 10)
        inside = card.adjusted(_INSIDE, _INSIDE, -_INSIDE, -_INSIDE)
        head = QRectF(inside.x(), inside.y(), inside.width(), self._line)
        painter.setPen(colours.ink)
        painter.setFont(self.title)
        painter.drawText(head, _LEFT, _TITLE)
        painter.setPen(colours.faint)
        painter.setFont(self.font)
        painter.drawText(head, _RIGHT, _FOOT)
        x = inside.x()
        for column, cap, text in zip(self._groups, self._caps, self._texts, strict=True):
            top = QPointF(x, inside.y() + self._head)
            self._paint_column(painter, top, column, cap, colours)
            x += cap + 12 + text + _BETWEEN

    def _paint_column(
        self, painter: QPainter, at: QPointF, column: Sequence[Group], cap: float,
        colours: _Colours,
    ) -> None:  # fmt: skip
        y, line = at.y(), self._line
        for title, rows in column:
            painter.setFont(self.strong)
            painter.setPen(colours.accent)
            painter.drawText(QRectF(at.x(), y, 400, line), _LEFT, title)
            painter.setFont(self.font)
            for number, (key, does) in enumerate(rows, 1):
                top = y + number * line
                box = QRectF(at.x(), top + 1.5, self._cap(key), line - 4)
                painter.setBrush(colours.cap)
                painter.setPen(QPen(colours.edge, 1))
                painter.drawRoundedRect(box, 4, 4)
                painter.setPen(colours.ink)
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, key)
                place = QRectF(at.x() + cap + 12, top, 600, line)
                painter.drawText(place, _LEFT, does)
            y += (len(rows) + 1.6) * line


def _length(column: Sequence[Group]) -> float:
    """How many lines a column has; the last group needs no room below it."""
    return sum(len(rows) + 1.6 for _, rows in column) - 0.6


def _in_columns(groups: Sequence[Group], count: int) -> list[Sequence[Group]]:
    """Break groups into columns, in their order, so that the longest is short."""
    best: list[Sequence[Group]] = []
    for breaks in combinations(range(1, len(groups)), count - 1):
        ends = (0, *breaks, len(groups))
        columns = [groups[a:b] for a, b in pairwise(ends)]
        if not best or max(map(_length, columns)) < max(map(_length, best)):
            best = columns
    return best


def _fitting(font: QFont, room: QSizeF) -> _Form:
    """Return the most legible form that fits, or the smallest."""
    for columns, less in _FORMS:
        smaller = QFont(font)
        smaller.setPointSizeF(max(_SMALLEST, font.pointSizeF() - less))
        form = _Form(columns, smaller)
        if (
            form.size.width() + 2 * _AROUND <= room.width()
            and form.size.height() + 2 * _AROUND <= room.height()
        ):
            break
    return form


def _beside(over: QWidget, size: QSizeF, middle: QPoint) -> QPointF:
    """Return the corner of a card in the middle of the canvas, but inside the window."""
    x = min(middle.x() - size.width() / 2, over.width() - size.width() - _AROUND)
    y = min(middle.y() - size.height() / 2, over.height() - size.height() - _AROUND)
    return QPointF(max(x, _AROUND), max(y, _AROUND))
