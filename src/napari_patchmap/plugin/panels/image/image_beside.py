"""The dock "Image": the images that patches were cut out of, beside the map."""

from __future__ import annotations

from functools import partial
from typing import Any

import napari.viewer
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QMenu, QPushButton, QSizePolicy, QStackedWidget, QWidget

from napari_patchmap.plugin.map.beside import Beside
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.of_viewer import real_viewer
from napari_patchmap.plugin.panels.image.patch_large import PatchLarge
from napari_patchmap.plugin.qt.basics import button, column, label, row
from napari_patchmap.plugin.qt.docks import dock_of, settle
from napari_patchmap.plugin.qt.keyboard import Keyboard
from napari_patchmap.plugin.qt.style import panel_style
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.workspace import workspace_of

_NO_PATCHES = "The images that patches are cut out of are shown here, beside the map."
_NOT_OPEN = (
    "The image that this patch was cut out of is not open in napari; it is seen here alone."
)
_ALONE = "Each of these patches is an image of its own: the one that you look at is seen here."
_CAN_OPEN = "The image that this patch was cut out of is not open."
_NONE_YET = " Click a point of the map."


class ImageBeside(QWidget):
    """Shows images on a canvas of their own, as long as it is to be seen itself.

    Attributes
    ----------
    beside : Beside or None
        The canvas, while there is one.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.viewer = real_viewer(viewer)
        self._map = MapLayer.of(self.viewer)
        self._workspace = workspace_of(self.viewer)
        self.beside: Beside | None = None
        self._theme = ""
        self._settled = self._opening = False
        self._pages = QStackedWidget()
        self._said = label("", wrap=True)
        self._said.setAlignment(Qt.AlignmentFlag.AlignCenter)
        alone = QWidget()
        self.open = button(
            "Open the image", "primary",
            "Read the image from its file, with the labels if there are any, and show it "
            "here beside the map.",
        )  # fmt: skip
        self.open.clicked.connect(lambda: self._map.opener.open([self._row]))
        rows = column(alone, self._said, row(1, self.open, 1), PatchLarge(self._map))
        rows.setContentsMargins(12, 12, 12, 12)
        rows.setStretch(2, 1)
        self._pages.addWidget(alone)
        self.layers = self._layers_button()
        self.whole = button("Whole image", "small", "Show all of the image, from edge to edge.")
        self.whole.clicked.connect(self._show_whole)
        bar = row(self.layers, self.whole, 1)
        bar.setContentsMargins(6, 4, 6, 0)
        self._bar = QWidget()
        column(self._bar, bar)
        column(self, self._bar, self._pages, spacing=4).setStretch(1, 1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumWidth(120)
        self._waiting = QTimer(self, singleShot=True, interval=0, timeout=self._follow_sight)
        subscribe(self, self._workspace.patches_changed, self._refresh)
        subscribe(self, self._workspace.current_changed, self._refresh)
        subscribe(self, self._map.opener.changed, self._refresh)
        subscribe(self, self._map.places.refreshed, self._refresh)
        Keyboard.of(self.viewer).listen(alone)
        self._restyle()
        self.viewer.events.theme.connect(self._restyle)

    def _layers_button(self) -> QPushButton:
        made = button(
            "Images", "small",
            "Which images are shown here. Colours and contrast are set as ever, with the "
            "image chosen in napari's list; its eye works here, too.",
        )  # fmt: skip
        menu = QMenu(made)
        menu.aboutToShow.connect(self._fill_menu)
        made.setMenu(menu)
        return made

    # -- being seen --------------------------------------------------------------------

    def showEvent(self, event: Any) -> None:
        """Open the canvas, and take the place beside the map once napari has docked this."""
        super().showEvent(event)
        self._waiting.start()

    def hideEvent(self, event: Any) -> None:
        """Take the canvas away: what is not seen costs nothing.

        A dock that is put into a window of its own, or back, is hidden for a moment. What was
        drawn for one window cannot be drawn in another, so that it gets another canvas there.
        """
        super().hideEvent(event)
        if not (self._opening or event.spontaneous()):  # the whole window is put away
            self._close_canvas()
        self._waiting.start()

    def changeEvent(self, event: QEvent) -> None:
        """Take the canvas away when napari lets go of this, which then goes at once."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._close_canvas()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the canvas away before the window goes, in which no timer runs any more."""
        if event.type() == QEvent.Type.Close:
            self._close_canvas()
            self._waiting.start()  # napari may ask, and the window stay
        return False

    def _follow_sight(self) -> None:
        dock = dock_of(self)
        if not self._settled and self.isVisible() and dock is not None:
            self._settled = True
            dock.parent().installEventFilter(self)
            settle(self.viewer, self)
        if self.isVisible() and self.beside is None:
            self._open_canvas()
        elif not self.isVisible():
            self._close_canvas()

    def _open_canvas(self) -> None:
        self.beside = beside = Beside(self._map)
        # The first of its kind in a window hides that, too, for a moment.
        self._opening = True
        self._pages.addWidget(beside.canvas)
        self._opening = False
        beside.twins.changed.connect(self._refresh)
        self._refresh()

    def _close_canvas(self) -> None:
        beside, self.beside = self.beside, None
        if beside is not None:
            beside.twins.changed.disconnect(self._refresh)
            self._pages.removeWidget(beside.canvas)
            beside.leave()

    # -- what is shown -----------------------------------------------------------------

    def _refresh(self, _: Any = None) -> None:
        beside, patches = self.beside, self._workspace.patches
        images = beside is not None and bool(beside.twins.sources)
        self._pages.setCurrentIndex(self._pages.count() - 1 if images else 0)
        self._bar.setVisible(images)
        can_open = patches is not None and self._map.opener.can_open(self._row)
        self.open.setVisible(can_open)
        self.open.setEnabled(not self._map.opener.busy)
        self.open.setText("Opening…" if self._map.opener.busy else "Open the image")
        if patches is None:
            self._said.setText(_NO_PATCHES)
            return
        apart = patches.origin.get("kind") in ("slides", "objects") or "layer" in patches.origin
        none = _NONE_YET if self._workspace.current < 0 else ""
        said = _CAN_OPEN if can_open else _NOT_OPEN if apart else _ALONE
        self._said.setText(said + none)

    @property
    def _row(self) -> int:
        """The patch whose image is meant: the current one, else the first."""
        return max(self._workspace.current, 0)

    def _fill_menu(self) -> None:
        menu, beside = self.layers.menu(), self.beside
        menu.clear()
        if beside is None:
            return
        for layer in reversed(self._map.views.sources):
            action = menu.addAction(layer.name.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(self._map.views.shows(layer))
            action.triggered.connect(partial(self._turn, layer))

    def _turn(self, layer: Any, _: bool) -> None:
        if self.beside is not None:
            self.beside.twins.turn(layer)

    def _show_whole(self) -> None:
        if self.beside is not None:
            self.beside.show_whole()

    def _restyle(self, event: Any = None) -> None:
        if self.viewer.theme != self._theme:
            self._theme = self.viewer.theme
            self.setStyleSheet(panel_style(self._theme))
