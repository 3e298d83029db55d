"""What is dropped onto a panel."""

from __future__ import annotations

from typing import Any


def dropped_file(event: Any) -> str:
    """Return the path of the one file that is dragged or dropped, "" where it is none."""
    urls = event.mimeData().urls()
    return urls[0].toLocalFile() if len(urls) == 1 and urls[0].isLocalFile() else ""
