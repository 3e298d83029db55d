"""Keys that act on the selection: in our panels, and on the canvas when the map is active."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

from napari.components.viewer_model import ViewerModel
from napari.layers import Labels, Layer, Shapes
from napari.utils.key_bindings import coerce_keybinding
from napari.viewer import Viewer
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut, QWidget

from napari_patchmap.plugin.canvas.canvas_mouse import CanvasMouse
from napari_patchmap.plugin.napari_private import was_drawn_on
from napari_patchmap.plugin.workspace import Workspace

#: 1 to 9 give a class, 0 takes it away.
DIGITS = "0123456789"

#: napari's for selecting points.
_SELECT_ALL = ("Control-A", "A", "Shift-A")


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


def map_keys(layer: Layer, select_all: Callable[[], None]) -> None:
    """Let napari's keys for selecting points act on patches."""
    for key in _SELECT_ALL:
        layer.bind_key(key, lambda _: select_all(), overwrite=True)


def digit_keys(widget: QWidget, annotate: Callable[[str], None]) -> None:
    """Let the digits give classes while the widget has the focus, but not where one types."""
    for digit in DIGITS:
        shortcut = QShortcut(QKeySequence(digit), widget)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(partial(annotate, digit))


def viewer_keys(viewer: Viewer, *mice: CanvasMouse) -> None:
    """Let the same keys, and L for the lasso, act on the canvas, on the map and on images.

    A layer that is being drawn on has its own keys before these; so have images that hold
    no patches, where digits choose napari's tools.

    Parameters
    ----------
    viewer : Viewer
    mice : CanvasMouse
        Those that act on its canvas by turns.
    """
    refs = [weakref.ref(mouse) for mouse in mice]  # people's layers may outlive the window

    def bind(target: Viewer | Layer, key: str, act: Callable[[CanvasMouse], None]) -> None:
        def press(pressed: Any) -> Any:
            there = [mouse for ref in refs if (mouse := ref()) is not None]
            theirs = _of_class(pressed, key)
            if key in DIGITS:
                there = [mouse for mouse in there if mouse.ready]
                taken = _is_being_drawn_on(pressed)
            else:
                taken = _is_being_drawn_on(pressed) or was_drawn_on(pressed)
            if theirs is not None and (taken or not there):
                return theirs(pressed)  # what napari does when the key is released
            if there:
                act(there[0])
            return None

        target.bind_key(key, press, overwrite=True)

    def bind_on_layer(event: Any) -> None:
        if isinstance(event.value, (Labels, Shapes)):
            for key, act in _KEYS.items():
                bind(event.value, key, act)
        for digit, act in _GIVE_CLASS.items():
            bind(event.value, digit, act)

    for key, act in {**_KEYS, **_GIVE_CLASS, "L": _toggle_lasso}.items():
        bind(viewer, key, act)
    for layer in viewer.layers:
        bind_on_layer(SimpleNamespace(value=layer))
    viewer.layers.events.inserted.connect(bind_on_layer)


def beside_keys(model: ViewerModel, mouse: CanvasMouse, select_all: Callable[[], None]) -> None:
    """Let the keys of the map act on a canvas beside it, none of whose layers is active."""

    def bind(key: str, act: Callable[[CanvasMouse], None]) -> None:
        model.bind_key(key, lambda _: act(mouse), overwrite=True)

    for key, act in {**_KEYS, **_GIVE_CLASS, "L": _toggle_lasso}.items():
        bind(key, act)
    for key in _SELECT_ALL:
        bind(key, lambda _: select_all())


def _toggle_lasso(mouse: CanvasMouse) -> None:
    mouse.hand.set_lasso(not mouse.hand.lasso)


_KEYS: dict[str, Callable[[CanvasMouse], None]] = {
    "Control-Z": lambda mouse: mouse.workspace.undo(),
    "Control-Shift-Z": lambda mouse: mouse.workspace.redo(),
    "Escape": CanvasMouse.escape,
}


def _giving(digit: str) -> Callable[[CanvasMouse], None]:
    return lambda mouse: mouse.hand.digit_pressed.emit(digit)


_GIVE_CLASS = {digit: _giving(digit) for digit in DIGITS}


def _of_class(target: Any, key: str) -> Callable[[Any], Any] | None:
    """Return what napari itself does for a layer of this kind on a key."""
    binding = coerce_keybinding(key)
    for kind in type(target).__mro__:
        function: Callable[[Any], Any] | None = getattr(kind, "class_keymap", {}).get(binding)
        if function is not None:
            return function
    return None


def _is_being_drawn_on(layer: Any) -> bool:
    """Whether a person draws on a layer."""
    return str(getattr(layer, "mode", "pan_zoom")) not in ("pan_zoom", "pick", "transform")
