"""Listening to the shared state for exactly as long as a widget lives."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from psygnal import SignalInstance
from qtpy.QtCore import QObject


def subscribe(widget: QObject, signal: SignalInstance, slot: Callable[..., Any]) -> None:
    """Call a method of a widget on a signal until Qt deletes the widget.

    The widget's Python half may outlive its Qt half; calling it then crashes.
    """
    signal.connect(slot)
    method = weakref.WeakMethod(slot)

    def leave() -> None:
        alive = method()
        if alive is not None:
            signal.disconnect(alive, missing_ok=True)

    widget.destroyed.connect(leave)
