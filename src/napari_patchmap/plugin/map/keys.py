"""Keys that act on the selection: in our panels, and on the canvas when the map is active."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels, Layer, Shapes
from napari.utils.key_bindings import coerce_keybinding
from napari.viewer import Viewer
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut, QWidget

from napari_patchmap.plugin.workspace import Workspace

if TYPE_CHECKING:
    from napari_patchmap.plugin.map.map_layer import MapLayer


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


def map_keys(layer: Layer, owner: MapLayer) -> None:
    """Let napari's keys for selecting points select patches, however many they are."""
    ref = weakref.ref(owner)

    def select_all(_: Any) -> None:
        owner = ref()
        if owner is not None:
            owner.select_all()

    for key in ("Control-A", "A", "Shift-A"):
        layer.bind_key(key, select_all, overwrite=True)


def viewer_keys(viewer: Viewer, owner: MapLayer) -> None:
    """Let the same keys, and L for the lasso, act on the canvas, on the map and on images.

    A layer that is being drawn on has its own keys before these.
    """
    ref = weakref.ref(owner)

    def bind(target: Viewer | Layer, key: str, act: Callable[[MapLayer], None]) -> None:
        def press(pressed: Any) -> None:
            owner, theirs = ref(), _of_class(pressed, key)
            if theirs is not None and (owner is None or _is_drawn_on(pressed)):
                theirs(pressed)
            elif owner is not None:
                act(owner)

        target.bind_key(key, press, overwrite=True)

    def bind_on_image(event: Any) -> None:
        if isinstance(event.value, (Labels, Shapes)):
            for key, act in _KEYS.items():
                bind(event.value, key, act)

    for key, act in {**_KEYS, "L": _toggle_lasso}.items():
        bind(viewer, key, act)
    for layer in viewer.layers:
        bind_on_image(SimpleNamespace(value=layer))
    viewer.layers.events.inserted.connect(bind_on_image)


def _toggle_lasso(owner: MapLayer) -> None:
    owner.mouse.set_lasso(not owner.mouse.lasso)


def _escape(owner: MapLayer) -> None:
    if not owner.mouse.give_up():
        clear_selection(owner.workspace)
        owner.placed.let_go()


_KEYS: dict[str, Callable[[MapLayer], None]] = {
    "Control-Z": lambda owner: owner.workspace.undo_selection(),
    "Control-Shift-Z": lambda owner: owner.workspace.redo_selection(),
    "Escape": _escape,
}


def _of_class(target: Any, key: str) -> Callable[[Any], Any] | None:
    """Return what napari itself does for a layer of this kind on a key."""
    binding = coerce_keybinding(key)
    for kind in type(target).__mro__:
        function: Callable[[Any], Any] | None = getattr(kind, "class_keymap", {}).get(binding)
        if function is not None:
            return function
    return None


def _is_drawn_on(layer: Any) -> bool:
    """Whether a person draws on a layer, or has drawn and may want to undo it."""
    drawing = str(getattr(layer, "mode", "pan_zoom")) not in ("pan_zoom", "pick", "transform")
    return drawing or bool(getattr(layer, "_undo_history", None))
