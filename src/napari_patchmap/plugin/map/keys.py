"""Keys that act on the selection: in our panels, and on the canvas when the map is active."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

from napari.layers import Labels, Layer, Shapes
from napari.utils.key_bindings import coerce_keybinding
from napari.viewer import Viewer
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut, QWidget

from napari_patchmap.plugin.map.mouse import MapMouse
from napari_patchmap.plugin.napari_private import was_drawn_on
from napari_patchmap.plugin.workspace import Workspace

#: 1 to 9 give a class, 0 takes it away.
DIGITS = "0123456789"


def selection_keys(widget: QWidget, workspace: Workspace) -> None:
    """Let undo, redo and Esc act on the selection while the widget has the focus."""
    actions = (
        ("Ctrl+Z", workspace.undo),
        ("Ctrl+Shift+Z", workspace.redo),
        ("Esc", workspace.clear_selection),
    )
    for keys, action in actions:
        shortcut = QShortcut(QKeySequence(keys), widget)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(action)


def map_keys(
    layer: Layer, select_all: Callable[[], None], annotate: Callable[[str], None]
) -> None:
    """Let keys on the map act on patches: napari's for selecting points, digits for classes."""
    for key in ("Control-A", "A", "Shift-A"):
        layer.bind_key(key, lambda _: select_all(), overwrite=True)
    for digit in DIGITS:
        layer.bind_key(digit, lambda _, digit=digit: annotate(digit), overwrite=True)


def digit_keys(widget: QWidget, annotate: Callable[[str], None]) -> None:
    """Let the digits give classes while the widget has the focus, but not where one types."""
    for digit in DIGITS:
        shortcut = QShortcut(QKeySequence(digit), widget)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(partial(annotate, digit))


def viewer_keys(viewer: Viewer, mouse: MapMouse) -> None:
    """Let the same keys act on the canvas, and L for the lasso, I for pictures of patches.

    They do so on the map and on images; a layer that is being drawn on has its own keys
    before these.
    """
    ref = weakref.ref(mouse)  # people's layers may outlive the window

    def bind(target: Viewer | Layer, key: str, act: Callable[[MapMouse], None]) -> None:
        def press(pressed: Any) -> None:
            mouse, theirs = ref(), _of_class(pressed, key)
            if theirs is not None and (mouse is None or _is_drawn_on(pressed)):
                theirs(pressed)
            elif mouse is not None:
                act(mouse)

        target.bind_key(key, press, overwrite=True)

    def bind_on_image(event: Any) -> None:
        if isinstance(event.value, (Labels, Shapes)):
            for key, act in _KEYS.items():
                bind(event.value, key, act)

    for key, act in {**_KEYS, "L": _toggle_lasso, "I": _toggle_pictures}.items():
        bind(viewer, key, act)
    for layer in viewer.layers:
        bind_on_image(SimpleNamespace(value=layer))
    viewer.layers.events.inserted.connect(bind_on_image)


def _toggle_lasso(mouse: MapMouse) -> None:
    mouse.set_lasso(not mouse.lasso)


def _toggle_pictures(mouse: MapMouse) -> None:
    mouse.close_up.set_from_afar(not mouse.close_up.from_afar)


_KEYS: dict[str, Callable[[MapMouse], None]] = {
    "Control-Z": lambda mouse: mouse.workspace.undo(),
    "Control-Shift-Z": lambda mouse: mouse.workspace.redo(),
    "Escape": MapMouse.escape,
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
    return drawing or was_drawn_on(layer)
