"""The sources that were loaded last, kept beside the person's other settings."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import platformdirs
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QMenu, QToolButton

from napari_patchmap.config import Config
from napari_patchmap.errors import PatchmapError
from napari_patchmap.patches.objects.crop_config import CropConfig
from napari_patchmap.patches.slides.tile_config import TileConfig
from napari_patchmap.plugin.opening import Request
from napari_patchmap.plugin.widgets.sources import SOURCES
from napari_patchmap.plugin.worker import Newest
from napari_patchmap.writing import write_json

#: How many are remembered.
MOST = 10

#: What of a request is written down: never pixels.
_TEXTS = ("kind", "path", "labels", "axes", "pattern", "objects")
_CONFIGS: dict[str, type[Config]] = {"tiles": TileConfig, "crops": CropConfig}


def recent_file() -> Path:
    """Return where the list is kept; the file need not exist yet."""
    return platformdirs.user_config_path("napari-patchmap") / "recent.json"


def recent_sources() -> list[Request]:
    """Return what was loaded last, the newest first; a damaged list counts as empty."""
    try:
        listed = json.loads(recent_file().read_text("utf-8"))["sources"]
        found = [_request(one) for one in listed]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
    return [one for one in found if one is not None][:MOST]


def remember_source(request: Request) -> None:
    """Put a source at the head of the list; what only this session holds is left out."""
    if request.array is not None or not request.path:
        return
    path = os.path.abspath(os.path.expanduser(request.path))
    request = request.but(path=path)
    others = [one for one in recent_sources() if (one.kind, one.path) != (request.kind, path)]
    values = {"version": 1, "sources": [_plain(one) for one in [request, *others][:MOST]]}
    file = recent_file()
    # It is a help and no more: a full or read-only disk must not be in the way.
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, values)


def _plain(request: Request) -> dict[str, Any]:
    values: dict[str, Any] = {key: getattr(request, key) for key in (*_TEXTS, "sizes")}
    for key in _CONFIGS:
        config = getattr(request, key)
        values[key] = None if config is None else config.to_dict()
    return values


def _request(values: dict[str, Any]) -> Request | None:
    known = {field.name for field in fields(Request)}
    given = {key: value for key, value in values.items() if key in known}
    texts = all(isinstance(given.get(key, ""), str) for key in _TEXTS)
    if not texts or given.get("kind") not in SOURCES or not given.get("path"):
        return None
    try:
        for key, config in _CONFIGS.items():
            given[key] = config.from_dict(given[key]) if given.get(key) else None
    except (PatchmapError, TypeError, ValueError):
        return None
    return Request(**given)


class RecentButton(QToolButton):
    """A menu of the sources that were loaded last.

    Signals
    -------
    chosen(Request)
    """

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setText("Recent ▾")
        self.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self.setProperty("role", "link")
        self.setToolTip("Sources that were loaded before, with all their settings.")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu_of_sources = QMenu(self)
        self.menu_of_sources.setToolTipsVisible(True)
        self.setMenu(self.menu_of_sources)
        # A path may lie on a disk that is slow to answer.
        self._look = Newest(self, "Looking for recent sources")
        self._look.done.connect(self._fill)
        self.hide()
        self.refresh()

    def refresh(self) -> None:
        """Read the list again, in the background."""
        self._look.ask(lambda task: _existing(recent_sources()))

    def _fill(self, sources: list[Request]) -> None:
        self.menu_of_sources.clear()
        names = [Path(one.path).name or one.path for one in sources]
        for name, one in zip(names, sources, strict=True):
            parent = Path(one.path).parent.name
            shown = f"{name}  ({parent})" if names.count(name) > 1 and parent else name
            action = self.menu_of_sources.addAction(shown.replace("&", "&&"))
            action.setToolTip(f"{SOURCES[one.kind].name}: {one.path}")
            action.triggered.connect(_chooser(self.chosen.emit, one))
        self.setVisible(bool(sources))


def _chooser(choose: Callable[[Request], None], request: Request) -> Callable[[], None]:
    return lambda *_: choose(request)


def _existing(sources: list[Request]) -> list[Request]:
    return [one for one in sources if os.path.exists(one.path)]
