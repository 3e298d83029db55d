"""Where runs are kept when nobody says where."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from platformdirs import user_data_path


def runs_home() -> Path:
    """Folder of the runs that were started from napari."""
    return user_data_path("napari-patchmap", appauthor=False) / "runs"


def run_folders(home: str | Path | None = None) -> list[Path]:
    """Return what may be run folders.

    Parameters
    ----------
    home : path, optional
        Folder that holds them; that of the runs started from napari when None. It
        need not exist.
    """
    home = Path(home) if home is not None else runs_home()
    try:
        return [folder for folder in home.iterdir() if not folder.name.startswith(".")]
    except OSError:
        return []


def new_run_folder(name: str, home: str | Path | None = None) -> Path:
    """Return the path of a run folder that does not exist yet.

    Named by the time and the patch set, so that runs sort by age.
    """
    safe = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "run"
    stem = f"{datetime.now():%Y-%m-%d_%H%M%S}_{safe}"
    home = Path(home) if home is not None else runs_home()
    folder, again = home / stem, 2
    while folder.exists():
        folder, again = home / f"{stem}_{again}", again + 1
    return folder
