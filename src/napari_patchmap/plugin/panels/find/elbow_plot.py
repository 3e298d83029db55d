"""How much of the differences so many groups explain, as a small curve to choose from."""

from __future__ import annotations

import math
from typing import Any

from napari.viewer import Viewer
from qtpy.QtCore import QPointF, Qt, Signal
from qtpy.QtGui import QPen, QPolygonF

from napari_patchmap.plugin.qt.plot import SharePlot
from napari_patchmap.plugin.qt.theme import theme_colour

#: Height of the plot, in pixels.
_HEIGHT = 110

#: Numbers of groups that are written below the curve.
_WRITTEN = (1, 2, 3, 5, 8, 12, 20, 30, 60)


class ElbowPlot(SharePlot):
    """The curve of explained variance, with the number that is suggested.

    Signals
    -------
    picked(int)
        A number of groups that was clicked.
    """

    picked = Signal(int)

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer, _HEIGHT)
        self._elbow: dict[str, Any] = {}
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(
            "<qt>How much of the variance lies between so many groups; it bends most at the "
            "dashed line. Click a number to choose it.</qt>"
        )

    def show_elbow(self, elbow: dict[str, Any]) -> None:
        """Show the curve of a report of groups, or nothing where it is empty."""
        self._elbow = elbow
        self.setVisible(bool(elbow))
        if elbow:
            self.setAccessibleDescription(f"suggested: {elbow['suggested']} groups")
        self.update()

    def place_of(self, number: int) -> QPointF:
        """Return where a number that was tried is painted."""
        at = self._elbow["groups"].index(number)
        return self.at(self._along(number), self._elbow["explained"][at])

    def _along(self, number: int) -> float:
        return math.log(number) / math.log(max(2, self._elbow["groups"][-1]))

    def mousePressEvent(self, event: Any) -> None:
        """Choose the number that is nearest to the mouse."""
        numbers = [number for number in self._elbow.get("groups", ()) if number > 1]
        if numbers:
            x = event.position().x()
            places = {n: self.at(self._along(n), 0).x() for n in numbers}
            self.picked.emit(min(numbers, key=lambda n: abs(places[n] - x)))

    def paintEvent(self, event: Any) -> None:
        """Draw axes, curve and the suggested number."""
        if not self._elbow:
            return
        groups = self._elbow["groups"]
        below = [(self._along(n), str(n)) for n in _WRITTEN if n <= groups[-1]]
        with self.painting((0, 50, 100), below) as painter:
            if self._elbow["clear"]:
                text = theme_colour(self.viewer, "text")
                painter.setPen(QPen(text, 1, Qt.PenStyle.DashLine))
                along = self._along(self._elbow["suggested"])
                painter.drawLine(self.at(along, 1), self.at(along, 0))
            painter.setPen(QPen(theme_colour(self.viewer, "current"), 2))
            painter.drawPolyline(QPolygonF([self.place_of(number) for number in groups]))
