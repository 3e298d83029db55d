"""Keys on the canvas: those of the map, and those that hold whatever layer is active."""

from __future__ import annotations

import sys
import weakref
from types import SimpleNamespace
from typing import Any

from napari.layers import Labels, Layer, Shapes
from napari.utils.key_bindings import coerce_keybinding
from napari.viewer import Viewer

from napari_patchmap.plugin.actions import ACTIONS, Action, Where
from napari_patchmap.plugin.napari_private import was_drawn_on
from napari_patchmap.plugin.qt.keyboard import Keyboard

#: Act on layers of people's own as well, unless they are being drawn on.
_ON_DRAWINGS = ("undo", "redo", "select_none")


def map_keys(layer: Layer, keyboard: Keyboard) -> None:
    """Let all keys act while the map is active, before those that napari has for points."""
    for action in ACTIONS.values():
        if action.where in (Where.CANVAS, Where.MAP):
            _bind(layer, action, keyboard)


def viewer_keys(viewer: Viewer, keyboard: Keyboard) -> None:
    """Let keys act on the canvas whatever layer is active.

    Where napari has the same key for a layer, such as L on Labels, that comes first.
    """

    def bind_on_drawing(event: Any) -> None:
        if isinstance(event.value, (Labels, Shapes)):
            for name in _ON_DRAWINGS:
                _bind(event.value, ACTIONS[name], keyboard)

    for action in ACTIONS.values():
        if action.where is Where.CANVAS:
            _bind(viewer, action, keyboard)
    for layer in viewer.layers:
        bind_on_drawing(SimpleNamespace(value=layer))
    viewer.layers.events.inserted.connect(bind_on_drawing)


def _bind(target: Viewer | Layer, action: Action, keyboard: Keyboard) -> None:
    ref = weakref.ref(keyboard)  # people's layers may outlive the window
    for key in action.keys:

        def press(pressed: Any, key: str = key) -> None:
            keyboard, theirs = ref(), _of_class(pressed, key)
            if isinstance(pressed, (Labels, Shapes)) and theirs is not None and (
                keyboard is None or _is_drawn_on(pressed)
            ):  # fmt: skip
                theirs(pressed)
            elif keyboard is not None:
                keyboard.press(action, key)

        target.bind_key(_as_napari_writes(key), press, overwrite=True)


def _as_napari_writes(key: str) -> str:
    """Return a key in napari's words; what Qt calls Ctrl is Command on a Mac."""
    key = key.replace("Return", "Enter").replace("Esc", "Escape")
    return key.replace("Ctrl", "Meta") if sys.platform == "darwin" else key


def _of_class(target: Any, key: str) -> Any:
    """Return what napari itself does for a layer of this kind on a key, None for nothing."""
    binding = coerce_keybinding(_as_napari_writes(key))
    for kind in type(target).__mro__:
        function = getattr(kind, "class_keymap", {}).get(binding)
        if function is not None:
            return function
    return None


def _is_drawn_on(layer: Any) -> bool:
    """Whether a person draws on a layer, or has drawn and may want to undo it."""
    drawing = str(getattr(layer, "mode", "pan_zoom")) not in ("pan_zoom", "pick", "transform")
    return drawing or was_drawn_on(layer)
