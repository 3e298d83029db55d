"""The "Explore" panel: colours, legend and selection tools of the map."""

from __future__ import annotations

import napari.viewer
import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from napari_patchmap.explore.colouring import Colouring, columns_to_show
from napari_patchmap.plugin.keys import clear_selection, selection_keys
from napari_patchmap.plugin.layers import MapLayer
from napari_patchmap.plugin.subscribe import subscribe
from napari_patchmap.plugin.widgets.legend import ColourBar, Legend
from napari_patchmap.plugin.workspace import real_viewer, workspace_of

_HELP = (
    "<b>Click</b> a point to select it, <b>Shift+drag</b> around many. "
    "<b>Shift</b> adds, <b>Alt</b> takes away, <b>Esc</b> clears."
)


class Explore(QWidget):
    """Colour by, legend with counts and selection tools.

    Parameters
    ----------
    viewer : Viewer
        The viewer whose map it works on.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        viewer = real_viewer(viewer)
        self._map = MapLayer.of(viewer)
        self._workspace = workspace = workspace_of(viewer)
        layout = QVBoxLayout(self)
        self.missing = _words("")
        layout.addWidget(self.missing)
        layout.addLayout(self._view_row())
        layout.addLayout(self._colour_row())
        self.legend = Legend()
        self.bar = ColourBar(viewer)
        self._key = QStackedWidget()
        self._key.addWidget(self.legend)
        self._key.addWidget(self._top_of_page(self.bar))
        self._key.addWidget(QWidget())
        layout.addWidget(self._key, 1)
        self.count = _words("")
        layout.addWidget(self.count)
        layout.addLayout(self._tools())
        layout.addWidget(_words(_HELP))
        self.stack = _button(
            "Show patches as a stack",
            "Add all patches as one image stack, at training size. Its slider and the map then "
            "go together: each step marks that patch's point.",
            self._map.link.make_stack,
        )
        layout.addWidget(self.stack)
        self._connect()
        selection_keys(self, workspace)
        self._on_colouring(self._map.colouring)
        self._on_lasso(self._map.mouse.lasso)

    # -- parts -------------------------------------------------------------------------

    def _view_row(self) -> QHBoxLayout:
        self.map_button = _button(
            "Map",
            "Show the map; the images are hidden meanwhile",
            self._show_map,
            checkable=True,
        )
        self.source_button = _button(
            "Source",
            "Show the image the patches come from; the map is hidden meanwhile",
            lambda: self._map.views.show("source"),
            checkable=True,
        )
        self._views = QButtonGroup(self)
        row = QHBoxLayout()
        row.setSpacing(2)
        for button in (self.map_button, self.source_button):
            self._views.addButton(button)
            row.addWidget(button)
        return row

    @staticmethod
    def _top_of_page(widget: QWidget) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(widget)
        layout.addStretch(1)
        return page

    def _colour_row(self) -> QHBoxLayout:
        self.column = QComboBox()
        self.column.setToolTip(
            "Colour the points by the label or by another column of the table (normally label)"
        )
        self.column.setAccessibleName("Colour by")
        self.column.setMinimumContentsLength(8)
        policy = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self.column.setSizeAdjustPolicy(policy)
        row = QHBoxLayout()
        row.addWidget(QLabel("Colour by"))
        row.addWidget(self.column, 1)
        return row

    def _tools(self) -> QGridLayout:
        workspace, owner = self._workspace, self._map
        self.lasso = _button(
            "Lasso",
            "Draw around points with the mouse (key L when the map has the focus). "
            "Shift adds, Alt takes away. Without this tool, Shift+drag does the same.",
            lambda: owner.mouse.set_lasso(not owner.mouse.lasso),
            checkable=True,
        )
        self.zoom = _button(
            "Zoom to it",
            "Move the map to the selected patches",
            lambda: owner.show_patches(workspace.selection),
        )
        self.whole = _button("Whole map", "Show all of the map", owner.show_all)
        self.undo = _button(
            "Undo", "Back to the selection before (Ctrl+Z)", workspace.undo_selection
        )
        self.redo = _button(
            "Redo", "The undone selection again (Ctrl+Shift+Z)", workspace.redo_selection
        )
        self.clear = _button(
            "Clear", "Select nothing (Esc)", lambda: clear_selection(workspace)
        )
        grid = QGridLayout()
        grid.setSpacing(4)
        buttons = (self.lasso, self.zoom, self.whole, self.undo, self.redo, self.clear)
        for place, button in enumerate(buttons):
            grid.addWidget(button, *divmod(place, 3))
        return grid

    def _connect(self) -> None:
        workspace, owner = self._workspace, self._map
        self.column.activated.connect(self._on_column)
        self.legend.picked.connect(self._on_picked)
        subscribe(self, owner.colouring_changed, self._on_colouring)
        subscribe(self, owner.views.changed, self._refresh)
        subscribe(self, owner.link.changed, self._refresh)
        subscribe(self, owner.mouse.lasso_changed, self._on_lasso)
        subscribe(self, workspace.selection_changed, self._refresh)
        subscribe(self, workspace.map_changed, self._refresh)

    # -- what is shown -------------------------------------------------------------------

    def _on_colouring(self, colouring: Colouring | None) -> None:
        self.column.clear()
        patches = self._workspace.patches
        if patches is not None and colouring is not None:
            for name in columns_to_show(patches.table):
                self.column.addItem(name, name)
            self.column.addItem("one colour", "")
            self.column.setCurrentIndex(self.column.findData(colouring.column))
            self.legend.show_colouring(colouring)
            if colouring.limits is not None:
                self.bar.set_limits(*colouring.limits)
        else:
            self.legend.clear()
        self._refresh()

    def _refresh(self, *_: object) -> None:
        workspace, colouring, link = self._workspace, self._map.colouring, self._map.link
        chosen, has_map = workspace.selection, workspace.embedding is not None
        patches = workspace.patches
        self.missing.setVisible(not has_map)
        self.missing.setText(
            "<b>Load patches first</b>, then train a map of them."
            if patches is None
            else "<b>No map yet.</b> Train one, and explore it here while it forms."
        )
        (self.map_button if self._map.views.now == "map" else self.source_button).setChecked(
            True
        )
        self.map_button.setEnabled(has_map)
        self.source_button.setEnabled(bool(self._map.views.sources))
        if colouring is None or not (colouring.names or colouring.limits):
            self._key.setCurrentIndex(2)
        else:
            self._key.setCurrentIndex(0 if colouring.names else 1)
            self.legend.show_counts(colouring, chosen)
        total = 0 if patches is None else len(patches)
        self.count.setText(f"<b>{len(chosen):,}</b> of {total:,} selected")
        for button in (self.lasso, self.whole):
            button.setEnabled(has_map)
        for button in (self.zoom, self.clear):
            button.setEnabled(has_map and len(chosen) > 0)
        self.undo.setEnabled(workspace.can_undo)
        self.redo.setEnabled(workspace.can_redo)
        self.stack.setVisible(patches is not None and link.layer is None)

    def _on_lasso(self, on: bool) -> None:
        self.lasso.setChecked(on)

    # -- what people do ------------------------------------------------------------------

    def _show_map(self) -> None:
        self._map.show_map()

    def _on_column(self, row: int) -> None:
        self._map.colour_by(self.column.itemData(row))

    def _on_picked(self, group: int, how: str) -> None:
        colouring = self._map.colouring
        if colouring is not None:
            members: np.ndarray = self._map.visible(colouring.members(group))
            self._workspace.select(members, how)  # type: ignore[arg-type]


def _button(text: str, tip: str, action: object, checkable: bool = False) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setCheckable(checkable)
    button.clicked.connect(lambda *_: action())  # type: ignore[operator]
    # Narrow enough for three in a row of a slim dock.
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    button.setMinimumWidth(40)
    return button


def _words(text: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.RichText)
    return label
