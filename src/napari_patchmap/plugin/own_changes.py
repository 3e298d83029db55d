"""Telling one's own changes from those of people."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class Quiet:
    """Something that changes layers whose events it also listens to."""

    busy = False

    @contextlib.contextmanager
    def quiet(self) -> Iterator[None]:
        """Change layers without taking it for something a person did."""
        before, self.busy = self.busy, True
        try:
            yield
        finally:
            self.busy = before
