"""The sources that were loaded last, kept beside the person's other settings."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import platformdirs
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QMenu, QToolButton

from napari_patchmap.errors import PatchmapError
from napari_patchmap.patches import Kind, OpenRequest
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.panels.load.opening import Request
from napari_patchmap.plugin.panels.load.sources import SOURCES
from napari_patchmap.runs import read_map
from napari_patchmap.writing import write_json

#: How many are remembered.
MOST = 10


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
    if request.image is not None or not request.what.path:
        return
    newest = replace(request, what=request.what.absolute())
    place = newest.kind, str(newest.what.path)
    others = [one for one in recent_sources() if (one.kind, str(one.what.path)) != place]
    kept = [{"kind": str(one.kind), **one.what.to_dict()} for one in [newest, *others][:MOST]]
    values = {"version": 1, "sources": kept}
    file = recent_file()
    # It is a help and no more: a full or read-only disk must not be in the way.
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, values)


def _request(values: dict[str, Any]) -> Request | None:
    try:
        request = Request(Kind(values["kind"]), OpenRequest.from_dict(values))
    except (PatchmapError, KeyError, TypeError, ValueError):
        return None
    return request if request.what.path else None


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
        self._look = Newest(self, "Looking for recent sources", self._fill)
        self._remembering = Newest(self, "Remembering the source", lambda _: self.refresh())
        self.hide()
        self.refresh()

    def refresh(self) -> None:
        """Read the list again, in the background."""
        self._look.ask(lambda watch: _existing(recent_sources(), watch))

    def remember(self, request: Request) -> None:
        """Put a source at the head of the list, in the background."""
        self._remembering.ask(lambda _: remember_source(request))

    def _fill(self, found: list[tuple[str, Request]]) -> None:
        self.menu_of_sources.clear()
        names = [name for name, _ in found]
        for name, one in found:
            path = Path(one.what.path)
            parent = path.parent.name
            shown = f"{name}  ({parent})" if names.count(name) > 1 and parent else name
            action = self.menu_of_sources.addAction(shown.replace("&", "&&"))
            action.setToolTip(f"{SOURCES[one.kind].name}: {path}")
            action.triggered.connect(partial(self._choose, one))
        self.setVisible(bool(found))

    def _choose(self, source: Request, _: bool = False) -> None:
        self.chosen.emit(source)


def _existing(sources: list[Request], watch: Watch) -> list[tuple[str, Request]]:
    """Return those that are there, each with what it is called."""
    found = []
    for one in sources:
        watch.check()
        if os.path.exists(one.what.path):
            found.append((_called(one), one))
    return found


def _called(source: Request) -> str:
    """Return the name of a file or folder; of a run that of its patches, and its date."""
    path = Path(source.what.path)
    if source.kind is Kind.RUN:
        with contextlib.suppress(PatchmapError):
            saved = read_map(path)
            return f"Map of {saved.name}, {saved.written:%d %b %Y, %H:%M}"
    return path.name or str(path)
