"""Telling one's own changes from those of people."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class Quiet:
    """Something that changes layers whose events it also listens to."""

    _busy = False

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        """Change layers without taking it for something a person did."""
        before, self._busy = self._busy, True
        try:
            yield
        finally:
            self._busy = before
