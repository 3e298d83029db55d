"""What was made last is kept, for whoever wants it again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

V = TypeVar("V")


class Latest(Generic[V]):
    """Values that were used last; each is made once, even if several threads want it.

    Parameters
    ----------
    most : float
        How much is kept, at least one value.
    size : callable, optional
        How much one value takes; each counts 1 when None.
    failures : bool
        Keep also that a value could not be made: whoever asks again gets the same error.
    """

    def __init__(
        self,
        most: float,
        size: Callable[[V], float] = lambda value: 1,
        *,
        failures: bool = False,
    ) -> None:
        self._most, self._size, self._failures = most, size, failures
        self._slots: OrderedDict[Hashable, _Slot] = OrderedDict()
        self._taken = 0.0
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """Return what is kept under ``key``, or what ``make`` returns."""
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
        with slot.lock:  # other values can be made meanwhile
            if slot.error is not None:
                raise slot.error
            if not slot.made:
                try:
                    slot.value = make()
                except Exception as error:
                    if self._failures:
                        slot.error = error
                    else:
                        self._drop(key, slot)
                    raise
                slot.made = True
                self._keep(key, slot)
            value: V = slot.value
            return value

    def find(self, key: Hashable) -> V | None:
        """Return what is kept under ``key``, None if nothing is; nothing is made."""
        with self._lock:
            slot = self._slots.get(key)
            if slot is None or not slot.made:
                return None
            self._slots.move_to_end(key)
        value: V = slot.value
        return value

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._slots.clear()
            self._taken = 0.0

    def _drop(self, key: Hashable, slot: _Slot) -> None:
        with self._lock:
            if self._slots.get(key) is slot:
                del self._slots[key]

    def _keep(self, key: Hashable, slot: _Slot) -> None:
        with self._lock:
            if self._slots.get(key) is not slot:
                return  # forgotten while it was made
            slot.size = self._size(slot.value)
            self._taken += slot.size
            while self._taken > self._most and len(self._slots) > 1:
                self._taken -= self._slots.popitem(last=False)[1].size


class _Slot:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.made = False
        self.value: Any = None
        self.error: Exception | None = None
        self.size = 0.0
