"""A search whose list is gone through one row after the other, with pictures."""

from __future__ import annotations

from typing import Any

from napari.viewer import Viewer
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QLabel, QPushButton

from napari_patchmap.find.search import INDEX, Found, Search
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.find.search_box import SearchBox
from napari_patchmap.plugin.qt.basics import button, label
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.qt.thumbnails import Thumbnails

#: Side of a picture, in pixels.
_SIDE = 96


class WalkBox(SearchBox):
    """Shows one row of the list, and buttons that lead to the one before and the next.

    A box of this kind puts what :meth:`make_walk` returns into its layout.

    Attributes
    ----------
    at : int
        The row that is looked at.
    """

    before: QPushButton
    after: QPushButton
    place: QLabel

    def __init__(self, viewer: Viewer, search: Search) -> None:
        self.at = 0
        self._pictures = MapLayer.of(viewer).thumbnails
        super().__init__(viewer, search)
        self.answer.installEventFilter(self)
        subscribe(self, self._pictures.arrived, self._on_arrived)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Get the pictures when somebody unfolds the box, or brings its tab to the front."""
        if event.type() == QEvent.Type.Show and watched is self.answer:
            self.show_row()
        elif event.type() == QEvent.Type.Hide and watched is self.answer:
            self._pictures.forget(self.search.key)
        return bool(super().eventFilter(watched, event))

    def _on_arrived(self, _: object) -> None:
        if self.answer.isVisible():
            self.show_row()

    def make_walk(self, what: str) -> tuple[QPushButton, QLabel, QPushButton]:
        """Return the buttons, and between them the place, for a list of such as ``what``."""
        self.before = button("‹", "", f"The {what} before.")
        self.after = button("›", "", f"The next {what}.")
        self.before.setAccessibleName(f"{what.capitalize()} before")
        self.after.setAccessibleName(f"Next {what}")
        self.place = label("", "hint")
        self.before.clicked.connect(lambda: self.go_to(self.at - 1))
        self.after.clicked.connect(lambda: self.go_to(self.at + 1))
        return self.before, self.place, self.after

    def make_picture(self) -> QLabel:
        """Return the frame of a picture."""
        made = label("")
        made.setFixedSize(_SIDE, _SIDE)
        return made

    def put_picture(
        self, frame: QLabel, index: int, pictures: Thumbnails | None = None
    ) -> None:
        """Show the picture of a patch, or what stands for it until it has been read.

        Nothing is read while nobody sees it.
        """
        if not self.answer.isVisible():
            frame.clear()
            return
        shown, ratio = pictures or self._pictures, self.devicePixelRatioF()
        frame.setPixmap(shown.get(index, _SIDE, ratio, self.search.key))

    def show_found(self, found: Found | None) -> None:
        """Show an answer, its first row at first."""
        super().show_found(found)
        self.at = 0
        self.show_row()

    def go_to(self, at: int) -> None:
        """Look at another row, on the map and in the gallery as well."""
        if self.found is not None and 0 <= at < len(self.found.listed):
            self.at = at
            self.show_row()
            self.workspace.set_current(int(self.found.listed[INDEX].iloc[at]))

    def show_row(self, _: Any = None) -> None:
        """Show the row that is looked at as it is now."""
        count = 0 if self.found is None else len(self.found.listed)
        if self.found is None or not count or self.workspace.patches is None:
            self.show_one(None)
            return
        self.place.setText(f"{self.at + 1:,} of {count:,}")
        self.before.setEnabled(self.at > 0)
        self.after.setEnabled(self.at + 1 < count)
        self.show_one(self.found.listed.iloc[self.at])

    def show_one(self, one: Any) -> None:
        """Show a row of the list, None where there is none."""
        raise NotImplementedError
