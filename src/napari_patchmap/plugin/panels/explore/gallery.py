"""The "Patches" gallery: the selected patches as pictures."""

from __future__ import annotations

import html
from typing import Any

import napari.viewer
import numpy as np
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from napari_patchmap.explore.ordering import shuffled
from napari_patchmap.explore.selection import How
from napari_patchmap.explore.words import breakdown
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.patchset import same_patches
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.of_viewer import real_viewer
from napari_patchmap.plugin.own_changes import Quiet
from napari_patchmap.plugin.panels.explore.gallery_menu import patch_menu, show_on_map
from napari_patchmap.plugin.panels.explore.kept_view import KeptView
from napari_patchmap.plugin.panels.explore.order_bar import OrderBar
from napari_patchmap.plugin.panels.explore.save_shown import SaveShown
from napari_patchmap.plugin.panels.explore.thumbnail_view import (
    LARGEST,
    SMALLEST,
    ThumbnailView,
)
from napari_patchmap.plugin.qt.docks import show_panel
from napari_patchmap.plugin.qt.dropped import dropped_file
from napari_patchmap.plugin.qt.keyboard import Keyboard
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.workspace import workspace_of


class Gallery(QWidget, Quiet):
    """Thumbnails of the selected patches, or of all when none is, sorted as people like.

    What is selected in the gallery itself does not change what it shows.

    Attributes
    ----------
    grid : ThumbnailView
    save : SaveShown
        Takes them elsewhere.
    orders : OrderBar
        What the patches are sorted by; others offer orders by ``orders.hooks``.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        viewer = real_viewer(viewer)
        self._map = MapLayer.of(viewer)
        self._workspace = workspace = workspace_of(viewer)
        self._shown = KeptView()
        self._header = QLabel()
        self._header.setTextFormat(Qt.TextFormat.RichText)
        # May be cut off, but must never make the dock wider.
        self._header.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.grid = ThumbnailView(viewer, self._map)
        self.orders = OrderBar(viewer)
        self.thumbnail_size = QSlider(Qt.Orientation.Horizontal)
        self.thumbnail_size.setRange(SMALLEST, LARGEST)
        self.thumbnail_size.setValue(self.grid.painter.side)
        self.thumbnail_size.setFixedWidth(84)
        self.thumbnail_size.setToolTip(
            f"Size of the pictures: {SMALLEST} to {LARGEST} pixels (normally 56); "
            "Ctrl and the wheel over the pictures, too"
        )
        self.save = SaveShown(self._map, self.grid.patches)
        bar = QHBoxLayout()
        bar.addWidget(self._header, 1)
        bar.addWidget(self.orders)
        bar.addWidget(self.thumbnail_size)
        bar.addLayout(self.save.reading.with_button())
        bar.addWidget(self.save)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 4)
        layout.addLayout(bar)
        layout.addWidget(self.grid, 1)
        self.thumbnail_size.valueChanged.connect(self.grid.set_side)
        self.grid.side_changed.connect(self.thumbnail_size.setValue)
        self.grid.looked_at.connect(self._on_looked_at)
        self.grid.chosen.connect(self._on_chosen)
        self.grid.opened.connect(self._on_opened)
        self.grid.given_up.connect(self._on_given_up)
        self.grid.copied.connect(self.save.copy_names)
        self.grid.asked.connect(self._on_menu)
        self.orders.changed.connect(self._on_order)
        self.orders.begun.connect(self._say_what_it_is)
        subscribe(self, workspace.selection_changed, self._on_selection)
        subscribe(self, workspace.map_changed, self._on_map)
        subscribe(self, workspace.current_changed, self._on_current)
        subscribe(self, self._map.colouring_changed, self._on_colouring)
        subscribe(self, self._map.hidden.changed, self._on_hidden)
        subscribe(self, self.orders.hooks.wanted, self._on_wanted)
        self.grid.side_changed.connect(self.orders.hooks.set_side)
        subscribe(self, self.orders.hooks.side_changed, self._on_side)
        self._on_side()
        self._take_keys(Keyboard.of(viewer))
        self.setAcceptDrops(True)
        self._patches: PatchSet | None = None
        self._total = 0
        self._has_map = workspace.embedding is not None
        self._refresh()

    def _take_keys(self, keyboard: Keyboard) -> None:
        keyboard.listen(self)
        for name, act in {
            "next": self.grid.look_at_next, "previous": self.grid.look_at_previous,
            "save": self.save.ask_csv,
        }.items():  # fmt: skip
            keyboard.offer(name, act)

    # -- what is shown ---------------------------------------------------------------

    def _refresh(self) -> None:
        """Show what is selected, or all patches."""
        workspace = self._workspace
        self._patches = patches = workspace.patches
        self._total = 0 if patches is None or self._map.colouring is None else len(patches)
        self.grid.patches.set_selected(workspace.selection, self._total)
        everything = self._map.visible(shuffled(self._total))
        self._shown.follow(workspace.selection, everything)
        self._arrange()

    def _arrange(self) -> None:
        """Put what is shown into the order that is chosen."""
        order, indices = self.orders.order, self._shown.indices
        patches = self._workspace.patches
        if order is not None and patches is not None and len(order) == len(patches):
            indices = order.arranged(indices)
        else:
            order = None
        self.grid.show_patches(indices, self._workspace.current, order)
        self._say_what_it_is()

    def _say_what_it_is(self) -> None:
        workspace, chosen = self._workspace, self._workspace.selection
        patches, colouring = workspace.patches, self._map.colouring
        self.save.refresh()
        if patches is None or colouring is None:
            self._say("<b>No patches yet.</b> Load patches first; they will be shown here.")
            return
        said, total = self.orders.said, len(patches)
        sorting = f"&nbsp; <i>{html.escape(said[0].upper() + said[1:])}</i>" if said else ""
        if self._shown.said:
            self._say(f"<b>{html.escape(self._shown.said)}</b>{sorting}")
        elif len(chosen):
            words = breakdown(colouring, chosen)
            self._say(f"<b>{len(chosen):,} of {total:,} selected</b>{sorting}&nbsp; {words}")
        elif self._shown.of_selection:
            self._say("<b>Nothing selected.</b> Those that were stay here; Esc shows all.")
        else:
            how = "Click a point on the map, or hold Ctrl and draw around some."
            how = how if self._has_map else "Train a map to sort them by looks."
            self._say(f"<b>Nothing selected, all {total:,} shown.</b>{sorting} {how}")

    def _say(self, text: str) -> None:
        self._header.setText(text)
        self._header.setToolTip(text)

    # -- what happens elsewhere ------------------------------------------------------

    def _on_selection(self, selection: np.ndarray) -> None:
        if not same_patches(self._workspace.patches, self._patches):
            return  # others come in a moment, and their colours with them
        self.grid.patches.set_selected(selection, self._total)
        if self.busy or self._shown.knows(selection):
            self._shown.note(selection)
            self._say_what_it_is()
            self.grid.viewport().update()
        else:
            self._refresh()

    def _on_map(self, _: object) -> None:
        # The pictures stay the same while a map is training; only the first one is news.
        if not self._has_map:
            self._has_map = True
            self._say_what_it_is()

    def _on_current(self, index: int) -> None:
        if not self.busy:
            self.grid.follow(index)
            self.orders.look_from(index)

    def _on_colouring(self, _: object) -> None:
        if not same_patches(self._workspace.patches, self._patches):
            self._has_map = self._workspace.embedding is not None
            self.orders.start_anew()
            self._refresh()
        else:  # other frames and names: nothing moves
            self.grid.restyle()
            self._say_what_it_is()

    def _on_hidden(self) -> None:
        if not len(self._workspace.selection) and not self._shown.said:
            self._refresh()  # all that are to be seen on the map

    def _on_order(self) -> None:
        self._arrange()
        self.grid.scrollToTop()  # what people sort for is what comes first

    def _on_side(self) -> None:
        self.grid.set_side(self.orders.hooks.side or self.grid.painter.side)

    def _on_wanted(self, indices: np.ndarray, sentence: str) -> None:
        self._shown.keep(indices, sentence, self._workspace.selection)
        self._arrange()
        self.grid.scrollToTop()
        self.grid.setFocus()

    # -- what people do --------------------------------------------------------------

    def _on_looked_at(self, index: int) -> None:
        with self.quiet():  # else what is sorted by distance would move under the mouse
            self._workspace.set_current(index)

    def _on_chosen(self, indices: np.ndarray, how: How) -> None:
        with self.quiet():
            kept = indices if how == "subtract" else self._map.visible(indices)
            self._workspace.select(kept, how)

    def _on_given_up(self) -> None:
        self._workspace.clear_selection()
        if self._shown.of_selection:  # nothing was selected: nobody was told
            self._refresh()

    def _on_opened(self, index: int) -> None:
        """Show the patch in the image where that is what is looked at, else on the map."""
        has_place = self._map.places.of(index) is not None
        if has_place and (self._map.views.now == "source" or not self._has_map):
            self._map.show_in_image(index)
        elif self._has_map:
            show_on_map(self._map, index)

    def _on_menu(self, index: int, place: QPoint) -> None:
        self.menu(index).popup(place)

    def menu(self, index: int) -> QMenu:
        """Make the menu of a patch."""
        menu = patch_menu(
            self, self._map, index,
            lambda: self.save.copy_names_of(np.array([index])), self.orders.sort_by_distance,
        )  # fmt: skip
        menu.aboutToHide.connect(menu.deleteLater)
        return menu

    def dragEnterEvent(self, event: Any) -> None:
        """Take an image file, where there are patches that it may be like."""
        if self._workspace.patches is not None and dropped_file(event):
            event.acceptProposedAction()

    def dropEvent(self, event: Any) -> None:
        """Let the panel Annotate look for the image that was dropped, and say what it found."""
        show_panel(self._map.viewer, "annotate")
        self.orders.hooks.image_dropped.emit(dropped_file(event))
