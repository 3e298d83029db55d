"""Hearing what outlives oneself, until one leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Listening:
    """What belongs to a canvas that may go before its viewer does.

    What it hears of the workspace or of another canvas is connected by `listen`; after
    `leave` it hears nothing more, and draws on nothing that Qt has destroyed.
    """

    _heard: tuple[tuple[Any, Callable[..., Any]], ...] = ()

    def listen(self, signal: Any, slot: Callable[..., Any]) -> None:
        """Connect a method of its own to a signal, or to an event of napari's."""
        signal.connect(slot)
        self._heard = (*self._heard, (signal, slot))

    def leave(self) -> None:
        """Hear nothing any more."""
        heard, self._heard = self._heard, ()
        for signal, slot in heard:
            signal.disconnect(slot)
