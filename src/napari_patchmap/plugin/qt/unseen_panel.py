"""What lies in a dock until somebody sees the panel there, or asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QDockWidget, QWidget

#: Smallest width of a panel in pixels.
NARROWEST = 280


class UnseenPanel(QWidget):
    """Holds the place of a panel, which is made when that is seen for the first time.

    A panel takes a tenth of a second or more to make, and most are not looked at in most
    windows. It shows what there is when it is made, so that it need not have heard of it.

    Parameters
    ----------
    make : callable
        Makes the panel.

    Attributes
    ----------
    kind : tuple of str
        Module and name of the class of the panel.
    """

    def __init__(self, kind: tuple[str, str], make: Callable[[], QWidget]) -> None:
        super().__init__()
        self.kind = kind
        self._make = make
        self._soon = QTimer(self, singleShot=True, interval=0, timeout=self._on_seen)
        self.setMinimumWidth(NARROWEST)

    def paintEvent(self, event: Any) -> None:
        """Make the panel: nothing is painted in a dock that lies behind others."""
        self._soon.start()

    def _on_seen(self) -> None:
        if self.parent() is not None:  # the dock was not closed meanwhile
            self.panel()

    def panel(self) -> QWidget:
        """Make the panel, put it into the dock in place of this, and return it."""
        self._soon.stop()
        dock, panel = self.parent(), self._make()
        assert isinstance(dock, QDockWidget)
        dock.setWidget(panel)
        self.deleteLater()
        return panel
