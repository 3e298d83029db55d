"""How many patches each label has."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QRect, Qt
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_patchmap.explore.palette import missing_colour
from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.qt.theme import label_colours, qcolor

#: Rows that are shown; more are counted.
_MOST_ROWS = 24

#: What patches are called that have no label.
_NONE = "without a label"


class LabelBars(QWidget):
    """Rows of a colour, a label, a bar and a count."""

    def __init__(self) -> None:
        super().__init__()
        #: Colour, name, length of the bar (0 to 1) and text after it.
        self.rows: list[tuple[QColor, str, float, str]] = []
        self.setToolTip("How many patches each label has.")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_patches(self, patches: PatchSet) -> int:
        """Show the labels of a patch set; return how many there are."""
        rows = _rows(patches)
        self.rows = rows[:_MOST_ROWS]
        if len(rows) > _MOST_ROWS:
            more = f"and {len(rows) - _MOST_ROWS} more"
            self.rows.append((qcolor(missing_colour()), more, 0.0, ""))
        self._fit_height()
        self.setVisible(bool(rows))
        self.update()
        return len(rows) - any(name == _NONE for _, name, *_ in rows)

    def _row_height(self) -> int:
        return int(self.fontMetrics().height() * 1.35)

    def _fit_height(self) -> None:
        height = len(self.rows) * self._row_height()
        if self.height() != height:
            self.setFixedHeight(height)

    def changeEvent(self, event: Any) -> None:
        """Follow another font size."""
        super().changeEvent(event)
        self._fit_height()

    def paintEvent(self, event: Any) -> None:
        """Paint the rows in the colours of the theme."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics, step = self.fontMetrics(), self._row_height()
        text = self.palette().windowText().color()
        track = QColor(text)
        track.setAlpha(22)
        names = max((metrics.horizontalAdvance(n) for _, n, _, _ in self.rows), default=0)
        names += 2  # widths are rounded, and a name that is short of a pixel is cut
        names = min(names, int(self.width() * 0.45))
        ends = max((metrics.horizontalAdvance(t) for *_, t in self.rows), default=0)
        left, right = 16 + names + 8, self.width() - ends - 8
        upright = Qt.AlignmentFlag.AlignVCenter
        for i, (colour, name, share, end) in enumerate(self.rows):
            y, middle, room = i * step, i * step + step // 2, max(0, right - left)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawRoundedRect(QRect(1, middle - 5, 10, 10), 2, 2)
            for brush, length in ((track, room), (colour, round(room * share))):
                painter.setBrush(brush)
                painter.drawRoundedRect(QRect(left, middle - 3, length, 6), 3, 3)
            painter.setPen(text)
            shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, names)
            painter.drawText(QRect(16, y, names + 4, step), upright, shown)
            ahead = upright | Qt.AlignmentFlag.AlignRight
            painter.drawText(QRect(right, y, self.width() - right, step), ahead, end)
        painter.end()


def _rows(patches: PatchSet) -> list[tuple[QColor, str, float, str]]:
    counts = patches.label_counts()
    if patches.labels is None or counts.empty:
        return []
    colours = label_colours(patches)
    shown = [(colour, name, int(counts[name])) for name, colour in colours.items()]
    if "" in counts:
        shown.append((qcolor(missing_colour()), _NONE, int(counts[""])))
    most = max(int(counts.max()), 1)
    return [(colour, name, n / most, f"{n:,}") for colour, name, n in shown]
