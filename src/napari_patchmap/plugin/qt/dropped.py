"""What is dropped onto a panel."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def dropped_paths(event: Any) -> list[Path]:
    """Return the files and folders that are dropped."""
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]


def dropped_file(event: Any) -> str:
    """Return the path of the one file that is dragged or dropped, "" where it is none."""
    paths = dropped_paths(event) if len(event.mimeData().urls()) == 1 else []
    return str(paths[0]) if paths else ""
