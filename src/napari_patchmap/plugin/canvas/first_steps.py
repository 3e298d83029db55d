"""What to do first, on the canvas while nothing is there yet."""

from __future__ import annotations

import weakref
from typing import Any

from napari.viewer import Viewer
from qtpy.compat import isalive
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout

from napari_patchmap.plugin.canvas.above import AboveCanvas
from napari_patchmap.plugin.napari_private import canvas_widget, welcome_text_top
from napari_patchmap.plugin.qt.basics import button, label
from napari_patchmap.plugin.qt.docks import open_panels, show_panel
from napari_patchmap.plugin.qt.style import panel_style
from napari_patchmap.plugin.qt.theme import colour_in
from napari_patchmap.plugin.workspace import workspace_of

_STEPS = (
    ("Load", "a folder, a stack,\na slide, or layers\nthat are open"),
    ("Train", "a map on which\npatches that look\nalike lie together"),
    ("Explore", "select, annotate,\nexport what\nyou found"),
)

#: Distance from the top of the canvas and from napari's own words, in pixels.
_MARGIN = 12


class FirstSteps(AboveCanvas):
    """Three steps, and the button that takes the first; gone once anything is there.

    It is there as long as any of our panels is open. napari's own words of welcome stay to be
    read below it; where there is no room for both, it keeps away.

    Signals
    -------
    wanted()
        The person wants to try it with the sample; the Load panel is open by then.
    dropped(QDropEvent)
        Files or folders were dropped on it, likewise.
    """

    wanted = Signal()
    dropped = Signal(object)

    @classmethod
    def of(cls, viewer: Viewer) -> FirstSteps:
        """Return those of a viewer, made on first use; they stay when a panel is closed."""
        above = canvas_widget(viewer).parentWidget()
        found = None if above is None else above.findChild(cls)
        return cls(viewer) if found is None else found

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer)
        self._viewer = weakref.ref(viewer)
        self._workspace = workspace_of(viewer)
        self.setObjectName("first_steps")
        self.setAcceptDrops(True)
        self.sample = button(
            "Try it with 2,000 blood cells",
            "primary",
            "Load the sample: real blood cells of 8 kinds that come with Patchmap.",
        )
        self.sample.clicked.connect(self._on_sample)
        steps = QHBoxLayout()
        steps.setSpacing(18)
        self._numbers = [label(str(number)) for number in range(1, len(_STEPS) + 1)]
        for number, (title, words) in zip(self._numbers, _STEPS, strict=True):
            steps.addLayout(_step(number, title, words))
        below = QHBoxLayout()
        below.setSpacing(12)
        below.addWidget(self.sample)
        below.addWidget(label("or drop a folder,\na stack, a slide here", "hint"), 1)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(18, 12, 18, 12)
        rows.setSpacing(8)
        rows.addLayout(steps)
        rows.addLayout(below)
        self._restyle()
        for event in (viewer.layers.events.inserted, viewer.layers.events.removed):
            event.connect(self._on_layers)
        viewer.events.theme.connect(self._restyle)
        self._workspace.patches_changed.connect(self._on_layers)
        self._soon.start()

    def _on_layers(self, _: Any = None) -> None:
        if not isalive(self):
            return  # gone with its panel
        if not self._empty:
            self.hide()
        self._soon.start()

    def look_again(self) -> None:
        """See whether it is still wanted: a panel goes."""
        if isalive(self):
            self._soon.start()

    @property
    def _empty(self) -> bool:
        viewer = self._viewer()
        return viewer is not None and not viewer.layers and self._workspace.patches is None

    def place(self) -> None:
        """Lie above napari's words of welcome, if all is empty and there is room."""
        viewer = self._viewer()
        if viewer is None:
            return
        size, area = self.sizeHint(), self.canvas.geometry()
        below = welcome_text_top(viewer)
        room = area.height() if below is None else below
        fits = size.width() + 2 * _MARGIN < area.width() and size.height() + _MARGIN < room
        if self._empty and fits and open_panels(viewer):
            x = area.x() + (area.width() - size.width()) // 2
            y = area.y() + max(_MARGIN, (room - size.height()) // 2)
            self.setGeometry(x, y, size.width(), size.height())
            self.show()
            self.raise_()
        else:
            self.hide()

    def dragEnterEvent(self, event: Any) -> None:
        """Take files and folders."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: Any) -> None:
        """Hand on what was dropped."""
        self._open_panel()
        self.dropped.emit(event)

    def _on_sample(self) -> None:
        self._open_panel()
        self.wanted.emit()

    def _open_panel(self) -> None:
        viewer = self._viewer()
        if viewer is not None:
            show_panel(viewer, "load")

    def _restyle(self, _: Any = None) -> None:
        viewer = self._viewer()
        if viewer is None or not isalive(self):
            return
        paper, edge = colour_in(viewer.theme, "background"), colour_in(viewer.theme, "primary")
        ink, accent = colour_in(viewer.theme, "text"), colour_in(viewer.theme, "current")
        rgb = f"{paper.red()}, {paper.green()}, {paper.blue()}"
        self.setStyleSheet(
            panel_style(viewer.theme) + f"QFrame#first_steps {{ background: rgba({rgb}, 225); "
            f"border: 1px solid {edge.name()}; border-radius: 10px; }}"
            "QLabel { background: transparent; }"
        )
        for number in self._numbers:
            number.setStyleSheet(
                f"background: {accent.name()}; color: {ink.name()}; font-weight: 600; "
                "border-radius: 12px; min-width: 24px; max-width: 24px; min-height: 24px; "
                "max-height: 24px; qproperty-alignment: AlignCenter;"
            )


def _step(number: QLabel, title: str, words: str) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(10)
    grid.setVerticalSpacing(2)
    grid.addWidget(number, 0, 0)
    grid.addWidget(label(title, "group"), 0, 1)
    grid.addWidget(label(words, "hint"), 1, 1)
    grid.setColumnStretch(1, 1)
    return grid
