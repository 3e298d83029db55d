"""Somebody who watches long work, and may have enough of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_patchmap.patches.watch import Watch


class Onlooker:
    """Notes what work reports in ``steps``, and what is known by then in ``known``.

    Has ``enough`` once that, given the onlooker, says so, and wants what is known then.
    """

    def __init__(self, enough: Callable[[Onlooker], bool] = lambda _: False) -> None:
        self.steps: list[tuple[int, int]] = []
        self.known: list[Any] = []
        self.watch = Watch(
            lambda *step: self.steps.append(step),
            lambda: enough(self),
            self.known.append,
            keeps=True,
        )
