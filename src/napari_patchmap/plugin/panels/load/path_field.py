"""A path to type or to choose."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QFileDialog, QLineEdit, QWidget

from napari_patchmap.patches import Kind
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.panels.load.sources import kind_at
from napari_patchmap.plugin.qt.basics import button, row

#: How long typing has to pause before the path is looked at, in milliseconds.
_PAUSE = 300

_TIP = "The path: type it, drop a file or folder here, or browse (at first none)."


class PathField(QWidget):
    """A line for a path, and a button that opens a dialog.

    Attributes
    ----------
    folder : bool
        Whether a folder is to be chosen.
    title, filters : str
        Of the dialog.
    """

    changed = Signal(str)

    def __init__(self, placeholder: str = "") -> None:
        super().__init__()
        self.folder = True
        self.title = "Choose"
        self.filters = "All files (*)"
        self.edit = QLineEdit()
        self.edit.setPlaceholderText(placeholder)
        self.edit.setMinimumWidth(60)
        self.edit.setToolTip(_TIP)
        self.browse = button("Browse…", "", "Choose it in a dialog.")
        parts = row(self.edit, self.browse)
        parts.setStretch(0, 1)
        self.setLayout(parts)
        self.edit.textChanged.connect(self.changed)
        self.browse.clicked.connect(self._choose)

    @property
    def path(self) -> str:
        """The path as text, without spaces or quotes around it."""
        return str(self.edit.text()).strip().strip("\"'")

    def set_path(self, path: str | Path) -> None:
        """Show a path."""
        self.edit.setText(str(path))
        self.edit.setToolTip(str(path) or _TIP)

    def _choose(self) -> None:
        start = self.path or str(Path.home())
        if self.folder:
            found = QFileDialog.getExistingDirectory(self, self.title, start)
        else:
            found, _ = QFileDialog.getOpenFileName(self, self.title, start, self.filters)
        if found:
            self.set_path(found)


class RecognisedPath(PathField):
    """A path of which it is found out in the background what it is, once typing pauses.

    Signals
    -------
    recognised(str)
        The kind of source; "" if it is nothing that holds patches.
    """

    recognised = Signal(str)

    def __init__(self, now: Callable[[], Kind]) -> None:
        super().__init__()
        self._now = now  # the kind that is chosen, which decides where several fit
        self._looking = False
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE, timeout=self._look)
        self._newest = Newest(self, "Looking at the path", self._on_found, self._on_failed)
        self.changed.connect(self._on_changed)

    @property
    def recognising(self) -> bool:
        """Whether it is still being found out what the path is."""
        return self._looking or self._pause.isActive()

    def look_at(self, path: Path) -> None:
        """Show a path and find out at once what it is."""
        self.set_path(path)
        self._pause.stop()
        self._look()

    def recognise_now(self) -> None:
        """Do not wait for more to be typed."""
        if self._pause.isActive():
            self._pause.stop()
            self._look()

    def settle(self) -> None:
        """Leave it at that: what the path is is known."""
        self._pause.stop()
        self._newest.forget()
        self._looking = False

    def _on_changed(self, _: str) -> None:
        self._pause.start()

    def _look(self) -> None:
        path, now = self.path, self._now()
        # Not a stray word: it would be looked for in whatever folder napari was started.
        known = os.path.isabs(os.path.expanduser(path)) or os.sep in path
        self._looking = True
        self._newest.ask(lambda _: (kind_at(path, now) or "" if known else "", path))

    def _on_failed(self, _: str) -> None:
        self._on_found(("", self.path))

    def _on_found(self, found: tuple[str, str]) -> None:
        kind, path = found
        if path == self.path:
            self._looking = False
            self.recognised.emit(kind)
