"""The "Explore" panel: colours, legend and selection tools of the map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import napari.viewer
import numpy as np
from qtpy.QtWidgets import (
    QButtonGroup,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QWidget,
)

from napari_patchmap.explore.colouring import Colouring
from napari_patchmap.explore.first_look import look_at_first
from napari_patchmap.explore.given_names import SUGGESTED
from napari_patchmap.explore.selection import How
from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.actions import with_key
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.explore.column_list import fill_columns, next_column
from napari_patchmap.plugin.panels.explore.condition_field import ConditionField
from napari_patchmap.plugin.panels.explore.figure_dialog import FigureButton
from napari_patchmap.plugin.panels.explore.kept_selections import KeptSelections
from napari_patchmap.plugin.panels.explore.legend import ColourBar, Legend
from napari_patchmap.plugin.panels.explore.on_image import OnImage
from napari_patchmap.plugin.panels.explore.picture_switch import PictureSwitch
from napari_patchmap.plugin.panels.explore.plate_box import PlateBox
from napari_patchmap.plugin.panels.label_box import LabelBox
from napari_patchmap.plugin.panels.locate import LocateImages
from napari_patchmap.plugin.qt.basics import choice, column, label, row
from napari_patchmap.plugin.qt.docks import close_panel, show_panel
from napari_patchmap.plugin.qt.panel import WorkPanel
from napari_patchmap.plugin.qt.work_bar import WorkBar
from napari_patchmap.plugin.source.slider_link import read_stack

_HELP = (
    "<b>Click</b> a point, or <b>Ctrl+drag</b> around many, to select them. "
    "<b>Shift</b> adds, <b>Alt</b> takes away, <b>Esc</b> gives up or clears."
)


class Explore(WorkPanel):
    """Colour by, legend with counts and selection tools."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self._map = MapLayer.of(self.viewer)
        self._fill_column()
        self._fill_footer()
        self.legend.picked.connect(self._on_picked)
        self.legend.ticked.connect(self._on_ticked)
        self.column_box.activated.connect(self._on_column)
        self.listen(self._map.hidden.changed, self._on_hidden)
        self.listen(self._map.colouring_changed, self._on_colouring)
        self.listen(self._map.views.changed, self._refresh)
        self.listen(self._map.views.beside_changed, self._refresh)
        self.listen(self._map.link.changed, self._refresh)
        self.listen(self._map.hand.lasso_changed, self._on_lasso)
        self.listen(self._map.hand.take_away_changed, self._on_take_away)
        self.listen(self.workspace.selection_changed, self._refresh)
        self.listen(self.workspace.map_changed, self._refresh)
        self.listen(self.workspace.annotations_changed, self._on_annotations)
        self.listen(self.workspace.suggestions_changed, self._on_annotations)
        self.listen(self.workspace.measured_changed, self._on_measured)
        self.keyboard.offer("colour", self._colour_by_next)
        self.keyboard.offer("keep", self._type_a_name)
        self.keyboard.bind(self.figure, "figure")
        self.keyboard.bind(self.beside_button, "beside")
        self.keyboard.bind(self.on_image.paint, "on_image")
        self.guard_wheel()
        self.lasso.setChecked(self._map.hand.lasso)
        self.take_away.setChecked(self._map.hand.take_away)
        self._on_colouring(self._map.colouring)

    # -- parts -------------------------------------------------------------------------

    def _fill_column(self) -> None:
        self.map_button = _button(
            "Map",
            with_key("view", "Show the map; the images are hidden meanwhile."),
            self._show_map,
            True,
        )
        self.source_button = _button(
            "Source",
            with_key(
                "view", "Show the image the patches come from; the map is hidden meanwhile."
            ),
            self._show_source,
            True,
        )
        self._views = QButtonGroup(self)
        views = QHBoxLayout()
        views.setSpacing(2)
        for button in (self.map_button, self.source_button):
            self._views.addButton(button)
            views.addWidget(button)
        self.beside_button = _button(
            "Beside",
            "Show the map and the image beside each other: what you point at, click or draw "
            "around on one is brought out on the other. Drag the line between them.",
            self._toggle_beside,
            True,
        )
        views.addWidget(self.beside_button)
        self.column.addLayout(views)

        self.column_box = choice(
            with_key(
                "colour",
                "Colour the points by the label or by another column of the table (normally "
                "label).",
            )
        )
        self.column_box.setAccessibleName("Colour by")
        self.column.addLayout(row(label("Colour by"), self.column_box))
        self.label_box = LabelBox(self.viewer)
        self.column.addWidget(self.label_box)
        self.pictures = PictureSwitch(self._map.close_up)
        self.column.addWidget(self.pictures)
        self.on_image = OnImage(self._map)
        self.column.addWidget(self.on_image)

        self.locate = LocateImages(self.viewer)
        self.column.addWidget(self.locate)
        self.legend = Legend()
        self.bar = ColourBar(self.viewer)
        self._key = QStackedWidget()
        at_the_top = QWidget()
        column(at_the_top, self.bar).addStretch(1)
        for page in (self.legend, at_the_top, QWidget()):
            self._key.addWidget(page)
        self.column.addWidget(self._key, 1)
        self.plate = PlateBox(self._map)
        self.column.addWidget(self.plate)
        self.kept = KeptSelections(self._map)
        self.column.addWidget(self.kept)

    def _fill_footer(self) -> None:
        self.count, do = label(""), self._map.commands
        self.lasso = _button(
            "Lasso",
            with_key(
                "lasso",
                "Draw around points with the mouse to select them. Shift adds, Alt or Take "
                "away takes away, Esc gives up a line half drawn. Without this tool, "
                "Ctrl+drag draws too, and Shift+drag adds.",
            ),
            do.toggle_lasso,
            True,
        )
        self.take_away = _button(
            "Take away",
            with_key(
                "take_away",
                "What you draw around is taken out of the selection, as with Alt.",
            ),
            do.toggle_take_away,
            True,
        )
        self.zoom = _button(
            "Zoom to it", with_key("zoom", "Move the map to the selected patches."), do.zoom
        )
        self.whole = _button(
            "Whole map", with_key("whole", "Show all of the map."), self._map.show_all
        )
        self.undo = _button(
            "Undo",
            with_key("undo", "Back to what was selected and annotated before."),
            self.workspace.undo,
        )
        self.redo = _button(
            "Redo",
            with_key("redo", "What was undone again."),
            self.workspace.redo,
        )
        self.clear = _button(
            "Clear", with_key("select_none", "Select nothing."), self.workspace.clear_selection
        )
        tools = QGridLayout()
        tools.setSpacing(4)
        buttons = (
            self.lasso, self.take_away, self.clear, self.undo, self.redo, self.zoom, self.whole,
        )  # fmt: skip
        for place, button in enumerate(buttons):
            tools.addWidget(button, *divmod(place, 3))
        self.stack = _button(
            "Show patches as a stack",
            "Add all patches as one image stack, at training size. Its slider and the map "
            "then go together: each step marks that patch's point.",
            self._read_stack,
        )
        self.reading = WorkBar()
        self.reading.done.connect(self._on_stack)
        self.reading.failed.connect(self._on_unreadable)
        self.reading.ended.connect(self._refresh)
        self.condition = ConditionField(self._map)
        self.invert = _button(
            "Invert",
            with_key("invert", "Select those that are not selected, of what is shown."),
            do.invert,
        )
        tools.addWidget(self.invert, *divmod(len(buttons), 3))
        self.figure = FigureButton(self._map)
        tools.addWidget(self.figure, *divmod(len(buttons) + 1, 3))
        self.footer.addWidget(self.count)
        self.footer.addWidget(self.condition)
        self.footer.addLayout(tools)
        self.footer.addWidget(label(_HELP, "hint", wrap=True))
        self.footer.addWidget(self.stack)
        self.footer.addLayout(self.reading.with_button())

    # -- what is shown -------------------------------------------------------------------

    def _on_colouring(self, colouring: Colouring | None) -> None:
        self.column_box.clear()
        patches = self.workspace.patches
        if patches is not None and colouring is not None:
            own = [*self._annotated(), *look_at_first(patches).columns]
            fill_columns(self.column_box, own, self.workspace.measured)
            self.column_box.setCurrentIndex(self.column_box.findData(colouring.column))
            self.legend.show_colouring(colouring, self._map.hidden.names)
            if colouring.limits is not None:
                self.bar.set_limits(*colouring.limits)
        self._refresh()

    def _annotated(self) -> list[str]:
        found = [] if self.workspace.suggestions is None else [SUGGESTED]
        return [*(one.name for one in self.workspace.annotations.columns), *found]

    def _on_annotations(self, *_: Any) -> None:
        listed = {self.column_box.itemData(i) for i in range(self.column_box.count())}
        if not set(self._annotated()) <= listed:
            self._on_colouring(self._map.colouring)
        self._refresh()  # there is something to undo

    def _on_measured(self) -> None:
        self._on_colouring(self._map.colouring)

    def _refresh(self, *_: Any) -> None:
        workspace, colouring = self.workspace, self._map.colouring
        patches, chosen = workspace.patches, workspace.selection
        if patches is None or colouring is None:
            self.need("Load patches first, then train a map of them.", "load")
            return
        if workspace.embedding is None:
            self.need("Train a map first. You can explore it here while it forms.", "train")
            return
        self.need("")
        on_map = self._map.views.now == "map"
        (self.map_button if on_map else self.source_button).setChecked(True)
        self.source_button.setEnabled(bool(self._map.views.sources))
        self.beside_button.setChecked(self._map.views.beside)
        if colouring.names or colouring.limits:
            self._key.setCurrentIndex(0 if colouring.names else 1)
            self.legend.show_counts(colouring, chosen)
        else:
            self._key.setCurrentIndex(2)
        self.count.setText(f"<b>{len(chosen):,}</b> of {len(patches):,} selected")
        self.undo.setEnabled(workspace.can_undo)
        self.redo.setEnabled(workspace.can_redo)
        for button in (self.zoom, self.clear):
            button.setEnabled(len(chosen) > 0)
        self.stack.setVisible(self._map.link.layer is None and not self.reading.running)

    def _on_lasso(self, on: bool) -> None:
        self.lasso.setChecked(on)

    def _on_take_away(self, on: bool) -> None:
        self.take_away.setChecked(on)

    # -- what people do ------------------------------------------------------------------

    def _show_map(self) -> None:
        self._map.show_map()
        self._refresh()

    def _show_source(self) -> None:
        self._map.views.show("source")
        self._refresh()

    def _toggle_beside(self) -> None:
        if self._map.views.beside:
            close_panel(self.viewer, "image")
        else:
            show_panel(self.viewer, "image")
        self._refresh()

    def _read_stack(self) -> None:
        patches = self.workspace.patches
        if patches is not None:
            name = "Reading patches for a stack"
            self.reading.start(name, lambda watch: (patches, read_stack(patches, watch)))
            self._refresh()

    def _on_stack(self, found: tuple[PatchSet, np.ndarray]) -> None:
        self._map.link.add_stack(*found)

    def _on_unreadable(self, sentence: str, _: Exception | None) -> None:
        self.workspace.say(sentence)

    def _on_column(self, at: int) -> None:
        self._map.colour_by(self.column_box.itemData(at))

    def _type_a_name(self) -> bool:
        """Bring the field for the name of a selection to the front and the cursor into it."""
        show_panel(self.viewer, "explore")
        self.kept.name.setFocus()
        return len(self.workspace.selection) > 0

    def _colour_by_next(self) -> bool:
        """Colour by the column that is listed after the one that is shown."""
        name = next_column(self.column_box)
        if name is not None:
            self._map.colour_by(name)
        return name is not None

    def _on_ticked(self, name: str, on: bool) -> None:
        hidden = self._map.hidden
        hidden.hide(hidden.names - {name} if on else hidden.names | {name})

    def _on_hidden(self) -> None:
        self.legend.show_hidden(self._map.hidden.names)

    def _on_picked(self, group: int, how: How) -> None:
        colouring = self._map.colouring
        if colouring is not None:
            self.workspace.select(self._map.visible(colouring.members(group)), how)


def _button(
    text: str, tip: str, action: Callable[[], object], checkable: bool = False
) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setCheckable(checkable)
    button.clicked.connect(action)
    # Narrow enough for three in a row of a slim dock.
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    button.setMinimumWidth(40)
    return button
