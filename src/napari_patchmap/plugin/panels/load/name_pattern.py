"""Asks which part of a file's name is its label, and shows what that takes out."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QLineEdit, QWidget

from napari_patchmap import formats
from napari_patchmap.errors import PatchmapError
from napari_patchmap.patches.labels.patterns import columns_from_pattern
from napari_patchmap.patches.names import natural_key
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.qt.basics import column, label

#: How many file names are shown, and how many are looked for.
_SHOWN, _NAMES = 3, 200

#: How long typing has to pause before the preview follows, in milliseconds.
_PAUSE = 250

EXAMPLE = "{label}_{}"


class NamePattern(QWidget):
    """A pattern for file names with a live preview.

    Signals
    -------
    changed()
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._folder = ""
        self._names: tuple[str, list[str]] = ("", [])
        self.edit = QLineEdit()
        self.edit.setPlaceholderText(f"such as {EXAMPLE}")
        self.edit.setToolTip(
            "<qt>How the label is written into the names of the files: <b>{label}</b> stands "
            "where the label is, <b>{}</b> for parts of no interest, and other names in "
            "braces, such as {patient}, become columns that can colour the map. A regular "
            "expression with named groups works too. Default: none.</qt>"
        )
        self.preview = label("", "hint", wrap=True)
        self.preview.hide()
        column(self, self.edit, self.preview, spacing=4)
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE, timeout=self._look)
        self._newest = Newest(self, "Looking at file names", self._show, self._refuse)
        self.edit.textChanged.connect(self._on_edit)

    @property
    def pattern(self) -> str:
        """The pattern as typed, "" for none."""
        return str(self.edit.text()).strip()

    def set_pattern(self, pattern: str) -> None:
        """Show a pattern."""
        self.edit.setText(pattern)

    def set_folder(self, folder: str) -> None:
        """Preview with the names of the files in a folder."""
        if folder != self._folder:
            self._folder = folder
            self._pause.start()

    def _on_edit(self) -> None:
        self._pause.start()
        self.changed.emit()

    def _look(self) -> None:
        pattern, folder, known = self.pattern, self._folder, self._names
        if not pattern or not folder:
            self._newest.forget()
            self.preview.hide()
            return
        self._newest.ask(lambda watch: _taken(folder, pattern, known, watch))

    def _show(self, found: tuple[tuple[str, list[str]], list[str]] | None) -> None:
        if found is None:
            return
        self._names, lines = found
        self.preview.setText("\n".join(lines))
        self.preview.setVisible(bool(lines) and bool(self.pattern))

    def _refuse(self, sentence: str) -> None:
        self.preview.setText(sentence)
        self.preview.setVisible(bool(self.pattern))


def _taken(
    folder: str, pattern: str, known: tuple[str, list[str]], watch: Watch
) -> tuple[tuple[str, list[str]], list[str]]:
    """Apply a pattern to the first file names of a folder; a line for each of a few."""
    names = known[1] if known[0] == folder else _first_names(folder, watch)
    if not names:
        return (folder, []), []
    try:
        columns, _ = columns_from_pattern(names, pattern, folder)
    except PatchmapError as error:
        return (folder, names), [str(error)]
    lines = []
    for i in np.unique(np.linspace(0, len(names) - 1, _SHOWN).round().astype(int)):
        parts = [
            f"{column} {values[i]}"
            for column, values in columns.items()
            if values[i] == values[i]
        ]
        said = ", ".join(part for part in parts if not part.endswith(" None"))
        lines.append(f"{names[i].rpartition('/')[2]} → {said or 'does not fit'}")
    return (folder, names), lines


def _first_names(folder: str, watch: Watch) -> list[str]:
    """List the first image files below a folder, ``/`` between the parts."""
    root, names = Path(folder).expanduser(), list[str]()
    for at, inner, files in os.walk(root):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        below = Path(at).relative_to(root).as_posix()
        for name in files:
            if name.lower().endswith(formats.IMAGES) and not name.startswith("."):
                names.append(name if below == "." else f"{below}/{name}")
        if len(names) >= _NAMES or watch.stops:
            break
    return sorted(names, key=natural_key)[:_NAMES]
