"""Keys on the canvas: those of the map, and those that hold whatever layer is active."""

from __future__ import annotations

import sys
import weakref
from types import SimpleNamespace
from typing import Any

from napari.components.viewer_model import ViewerModel
from napari.layers import Image, Labels, Layer, Shapes
from napari.utils.key_bindings import coerce_keybinding
from napari.viewer import Viewer

from napari_patchmap.plugin.actions import ACTIONS, Action, Where
from napari_patchmap.plugin.canvas.canvas_mouse import CanvasMouse
from napari_patchmap.plugin.napari_private import was_drawn_on
from napari_patchmap.plugin.qt.keyboard import Keyboard

#: Act on layers of people's own as well, unless they are being drawn on.
_ON_DRAWINGS = ("undo", "redo", "select_none")

#: Act on images that hold patches, in place of napari's own.
_ON_IMAGES = ("give", "take_class")


def map_keys(layer: Layer, keyboard: Keyboard) -> None:
    """Let all keys act while the map is active, before those that napari has for points."""
    for action in ACTIONS.values():
        if action.where in (Where.CANVAS, Where.MAP):
            _bind(layer, action, keyboard)


def viewer_keys(viewer: Viewer, keyboard: Keyboard, images: CanvasMouse) -> None:
    """Let keys act on the canvas whatever layer is active.

    Where napari has the same key for a layer, such as L on Labels, that comes first; but
    digits give classes on images that hold patches, which ``images`` knows of.
    """

    def bind_on_layer(event: Any) -> None:
        if isinstance(event.value, (Labels, Shapes)):
            for name in _ON_DRAWINGS:
                _bind(event.value, ACTIONS[name], keyboard)
        if isinstance(event.value, (Labels, Image)):
            for name in _ON_IMAGES:
                _bind(event.value, ACTIONS[name], keyboard, images)

    for action in ACTIONS.values():
        if action.where is Where.CANVAS:
            _bind(viewer, action, keyboard)
    for layer in viewer.layers:
        bind_on_layer(SimpleNamespace(value=layer))
    viewer.layers.events.inserted.connect(bind_on_layer)


def beside_keys(model: ViewerModel, keyboard: Keyboard) -> None:
    """Let all keys act on a canvas beside the map, none of whose layers is active."""
    for action in ACTIONS.values():
        if action.where in (Where.CANVAS, Where.MAP):
            _bind(model, action, keyboard)


def _bind(
    target: ViewerModel | Layer,
    action: Action,
    keyboard: Keyboard,
    images: CanvasMouse | None = None,
) -> None:
    """Bind an action; with ``images`` only where these show patches."""
    ref = weakref.ref(keyboard)  # people's layers may outlive the window
    shows = None if images is None else weakref.ref(images)

    def is_theirs(pressed: Any) -> bool:
        """Whether a key is meant for napari's layer, not for the patches on it."""
        if shows is not None:
            mouse = shows()
            return mouse is None or not mouse.ready or _is_being_drawn_on(pressed)
        drawn = isinstance(pressed, (Labels, Shapes))
        return drawn and (_is_being_drawn_on(pressed) or was_drawn_on(pressed))

    for key in action.keys:

        def press(pressed: Any, key: str = key) -> Any:
            keyboard, theirs = ref(), _of_class(pressed, key)
            if keyboard is None or (is_theirs(pressed) and (theirs or shows)):
                # What it returns is done when the key is released.
                return None if theirs is None else theirs(pressed)
            keyboard.press(action, key)
            return None

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


def _is_being_drawn_on(layer: Any) -> bool:
    """Whether a person draws on a layer."""
    return str(getattr(layer, "mode", "pan_zoom")) not in ("pan_zoom", "pick", "transform")
