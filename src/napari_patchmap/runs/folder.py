"""Where a run may be written, and how it gets there in one piece."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from napari_patchmap.errors import RunError
from napari_patchmap.runs.checkpoint import FOLDER, is_unfinished


def check_free(folder: str | Path, *, unfinished: bool = False) -> Path:
    """Return the folder if a run can be written there.

    Parameters
    ----------
    folder : path
    unfinished : bool
        Whether it may hold a run that is not finished, which is then gone on with.

    Raises
    ------
    RunError
        If it holds files already or cannot be made.
    """
    folder = Path(folder).expanduser().resolve()
    recover(folder)
    if is_unfinished(folder):
        if unfinished:
            return folder
        raise RunError(
            f"{folder} holds a run that is not finished; continue it with --resume, or choose "
            "another folder."
        )
    if (folder / "config.json").exists() and (folder / "embedding.csv").exists():
        raise RunError(
            f"{folder} already holds a run; choose another folder or remove it first."
        )
    if folder.is_file():
        raise RunError(f"{folder} is a file; choose a folder for the run.")
    try:
        if folder.is_dir() and any(p.name != FOLDER for p in folder.iterdir()):
            raise RunError(f"{folder} is not empty; choose a new folder for the run.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        probe = beside(folder, "probe")
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise RunError(
            f"Nothing can be written in {folder.parent} ({error.strerror or error}); choose "
            "another folder."
        ) from None
    return folder


def beside(folder: Path, what: str) -> Path:
    """Path of something temporary beside a run's folder."""
    return folder.with_name(f".{folder.name}.{what}")


def put_in_place(part: Path, folder: Path, *, keep_checkpoint: bool) -> None:
    """Let a folder that was written beside take the place of a run's folder.

    Raises
    ------
    OSError
        If that is impossible; the older folder is then still there.
    """
    old = beside(folder, "old")
    if folder.exists():
        folder.rename(old)
    try:
        part.rename(folder)
    except OSError:
        recover(folder)
        raise
    if keep_checkpoint and (old / FOLDER).is_dir():
        (old / FOLDER).rename(folder / FOLDER)
    shutil.rmtree(old, ignore_errors=True)


def recover(folder: Path) -> None:
    """Put things right if a process ended between two steps of :func:`put_in_place`."""
    old = beside(folder, "old")
    if not old.is_dir():
        return
    with contextlib.suppress(OSError):
        if not folder.exists():
            old.rename(folder)
        elif (old / FOLDER).is_dir() and not (folder / FOLDER).exists():
            (old / FOLDER).rename(folder / FOLDER)
