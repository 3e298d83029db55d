"""What the panels of the workspace have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.viewer import Viewer
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QPushButton,
    QScrollArea,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from napari_patchmap.plugin.of_viewer import real_viewer
from napari_patchmap.plugin.preferences import PREFERENCES
from napari_patchmap.plugin.qt.basics import button, column, label
from napari_patchmap.plugin.qt.docks import PANELS, lead, settle, way_to
from napari_patchmap.plugin.qt.keyboard import Keyboard
from napari_patchmap.plugin.qt.style import panel_style
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.qt.unseen_panel import NARROWEST
from napari_patchmap.plugin.workspace import workspace_of

#: Width in pixels that the panels are made for; everything fits without scrolling sideways.
PANEL_WIDTH = 360


class WorkPanel(QWidget):
    """A scrolling column with one primary button below it.

    Until what it needs is there, it shows one sentence and the way to get it.

    Attributes
    ----------
    workspace : Workspace
        The state that the panels of the viewer share.
    keyboard : Keyboard
        Where a panel offers what it does on a key.
    column : QVBoxLayout
        Where a panel puts its contents.
    footer : QVBoxLayout
        Always visible, below the column.
    """

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self.viewer = real_viewer(viewer)
        self.workspace = workspace_of(viewer)
        PREFERENCES.take_up()
        self.keyboard = Keyboard.of(self.viewer)
        self.keyboard.listen(self)
        self._theme = ""
        self._settled = False

        body = QWidget()
        self.column = QVBoxLayout(body)
        self.column.setContentsMargins(10, 10, 10, 10)
        self.column.setSpacing(8)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(body)
        work = QWidget()
        rows = column(work, scroll, spacing=0)
        self.footer = QVBoxLayout()
        self.footer.setContentsMargins(10, 6, 10, 10)
        self.footer.setSpacing(6)
        rows.addLayout(self.footer)

        self._missing = _Missing(self.viewer)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(work)
        self._pages.addWidget(self._missing)
        self._wheel = _NoAccidentalWheel(self)
        self.setMinimumWidth(NARROWEST)
        self._settling = QTimer(self, singleShot=True, timeout=self._settle)
        self._restyle()
        self.viewer.events.theme.connect(self._restyle)

    def showEvent(self, event: Any) -> None:
        """Take the place among the other panels once napari has docked this one."""
        super().showEvent(event)
        if not self._settled:
            self._settled = True
            self._settling.start(0)

    def _settle(self) -> None:
        settle(self.viewer, self)

    # -- what it needs ---------------------------------------------------------

    def need(self, sentence: str, key: str = "load") -> None:
        """Show what is missing, and the way to the panel ``key``; "" when nothing is."""
        self._missing.say(sentence, key)
        self._pages.setCurrentIndex(1 if sentence else 0)

    @property
    def missing(self) -> str:
        """What is missing before the panel can be used, "" when nothing is."""
        return self._missing.sentence

    def lead_to(self, key: str, text: str, role: str = "link") -> QPushButton:
        """Add the way to the next panel at the very bottom."""
        link = button(f"{text} →", role, way_to(key))
        lead(link, self.viewer, lambda: key)
        if role == "link":
            self.footer.addWidget(link, 0, Qt.AlignmentFlag.AlignRight)
        else:
            self.footer.addWidget(link)
        return link

    def listen(self, signal: Any, slot: Callable[..., Any]) -> None:
        """Connect a method to a workspace signal until the panel goes."""
        subscribe(self, signal, slot)

    def _restyle(self, event: Any = None) -> None:
        if self.viewer.theme != self._theme:
            self._theme = self.viewer.theme
            self.setStyleSheet(panel_style(self._theme))

    def guard_wheel(self) -> None:
        """Let the wheel scroll the panel instead of changing fields under it."""
        for kind in (QAbstractSpinBox, QComboBox):
            for field in self.findChildren(kind):
                field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
                field.installEventFilter(self._wheel)


class _Missing(QWidget):
    """One sentence and the button that leads to what is missing."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self.sentence = ""
        self._text = label("", wrap=True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.button = button("", "primary")
        lead(self.button, viewer, lambda: self._key)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(24, 24, 24, 24)
        rows.setSpacing(14)
        rows.addStretch(2)
        rows.addWidget(self._text)
        rows.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        rows.addStretch(3)
        self.say("", "load")

    def say(self, sentence: str, key: str) -> None:
        self.sentence, self._key = sentence, key
        self._text.setText(sentence)
        self.button.setText(f"Go to {PANELS[key].name}")
        self.button.setToolTip(way_to(key))


class _NoAccidentalWheel(QObject):
    """Ignores the wheel over fields that do not have the focus."""

    def eventFilter(self, field: Any, event: Any) -> bool:
        if event.type() == QEvent.Type.Wheel and not field.hasFocus():
            event.ignore()
            return True
        return False
