"""Keys that act on the selection: in our panels, and on the canvas when the map is active."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Layer
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut, QWidget

from napari_patchmap.plugin.workspace import Workspace


def clear_selection(workspace: Workspace) -> None:
    """Select nothing and look at nothing."""
    workspace.select(np.empty(0, np.intp))
    workspace.set_current(-1)


def selection_keys(widget: QWidget, workspace: Workspace) -> None:
    """Let undo, redo and Esc act on the selection while the widget has the focus."""
    actions = (
        ("Ctrl+Z", workspace.undo_selection),
        ("Ctrl+Shift+Z", workspace.redo_selection),
        ("Esc", lambda: clear_selection(workspace)),
    )
    for keys, action in actions:
        shortcut = QShortcut(QKeySequence(keys), widget)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(action)


def layer_keys(layer: Layer, workspace: Workspace, lasso: Callable[[], None]) -> None:
    """Let the same keys, and L for the lasso, act on the canvas while a layer is active."""

    def undo(_: Any) -> None:
        workspace.undo_selection()

    def redo(_: Any) -> None:
        workspace.redo_selection()

    def clear(_: Any) -> None:
        clear_selection(workspace)

    def toggle(_: Any) -> None:
        lasso()

    layer.bind_key("L", toggle)
    layer.bind_key("Control-Z", undo)
    layer.bind_key("Control-Shift-Z", redo)
    layer.bind_key("Escape", clear)
