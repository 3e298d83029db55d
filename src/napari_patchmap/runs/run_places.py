"""Where runs are kept when nobody says where."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from platformdirs import user_data_path

from napari_patchmap.errors import PatchmapError
from napari_patchmap.patches.watch import UNWATCHED, Watch

T = TypeVar("T")


def runs_home() -> Path:
    """Folder of the runs that were started from napari."""
    return user_data_path("napari-patchmap", appauthor=False) / "runs"


def read_all(
    read: Callable[[Path], T], home: str | Path | None = None, watch: Watch = UNWATCHED
) -> list[T]:
    """Read all runs in a folder, by default of those started from napari; it need not exist.

    A folder of which ``read`` raises a :class:`PatchmapError` is left out.

    Raises
    ------
    LoadCancelled
        If ``watch``, which is asked before each, wants to stop.
    """
    folders: list[Path] = []
    with contextlib.suppress(OSError):
        folders += Path(home or runs_home()).iterdir()
    found = []
    for folder in folders:
        watch.check()
        if not folder.name.startswith("."):
            with contextlib.suppress(PatchmapError):
                found.append(read(folder))
    return found


def new_run_folder(name: str, home: str | Path | None = None) -> Path:
    """Return the path of a run folder that does not exist yet.

    Named by the time and the patch set, so that runs sort by age.
    """
    safe = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "run"
    stem = f"{datetime.now():%Y-%m-%d_%H%M%S}_{safe}"
    home = Path(home or runs_home())
    folder, again = home / stem, 2
    while folder.exists():
        folder, again = home / f"{stem}_{again}", again + 1
    return folder
