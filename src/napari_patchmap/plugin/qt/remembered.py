"""What a person switched on or off, for the next window."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import platformdirs

from napari_patchmap.writing import write_json


def switches_file() -> Path:
    """Return where it is kept; the file need not exist yet."""
    return platformdirs.user_config_path("napari-patchmap") / "switches.json"


def _read() -> dict[str, object]:
    try:
        values = json.loads(switches_file().read_text("utf-8"))["switches"]
        return dict(values)
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def is_on(name: str) -> bool:
    """Return how a switch was left; off where it was never touched."""
    return _read().get(name) is True


def remember_switch(name: str, on: bool) -> None:
    """Note how a switch was left."""
    file = switches_file()
    # It is a help and no more: a full or read-only disk must not be in the way.
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, {"version": 1, "switches": {**_read(), name: on}})
