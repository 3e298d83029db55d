"""One rule for what is a click and what is a drag."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

#: A press and release closer than this, in canvas pixels, is a click.
_STILL = 4.0


class Press:
    """A mouse button on the canvas, from where it was pressed until it is released."""

    def __init__(self, event: Any) -> None:
        #: Where it was pressed, (x, y) in canvas pixels.
        self.start = tuple(event.pos[:2])
        self._travelled = 0.0

    def follow(self, event: Any, *, taken: bool = False) -> Iterator[None]:
        """Yield until the button is released; ``taken`` keeps the camera where it is."""
        while True:
            if taken:
                event.handled = True
            self.went([event.pos[:2]])
            if event.type == "mouse_release":
                return
            yield

    def went(self, places: Any) -> None:
        """Take note of places, each (x, y), where the mouse was meanwhile."""
        away = np.abs(np.subtract(places, self.start))
        self._travelled = max(self._travelled, float(away.max(initial=0.0)))

    @property
    def is_click(self) -> bool:
        """Whether the mouse stayed where it was pressed."""
        return self._travelled <= _STILL
