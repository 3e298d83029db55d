"""Where a run may be written, and how it gets there in one piece.

All of a run is first written into a folder inside of its own, ``SAVING``, and flushed to
the disk. Renaming that to ``SAVED`` is the moment from which it counts; then its files
go to their places one by one, ``config.json`` last. Whoever comes after a process that
was ended in between goes on with that. The run's folder itself never moves, and only
files that ``config.json`` lists as ours are replaced or removed.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from napari_patchmap.errors import MissingPackageError, RunError
from napari_patchmap.foreign import words
from napari_patchmap.lock import alone_in
from napari_patchmap.runs.checkpoint import (
    FOLDER,
    check_ours,
    is_unfinished,
    read_state,
    remove_checkpoint,
    state_file,
)
from napari_patchmap.runs.writable import check_folder
from napari_patchmap.writing import flush_folder, is_leftover, leftovers

#: Folders in a run's folder: a run that is being written, and one that is whole.
SAVING, SAVED = ".patchmap-saving", ".patchmap-saved"

#: Says which files are ours, in its entry of this name.
CONFIG, FILES = "config.json", "files"

#: Entries of that file by which it is ours.
_OF_OURS = {"format", "config", "network", "training"}

#: Files of runs that were saved before they listed them.
BEFORE = {
    CONFIG, "embedding.csv", "features.npy", "history.csv", "map.png", "metrics.json",
    "model.safetensors", "unreadable.csv",
}  # fmt: skip

#: How long to wait for a process that is just saving, in seconds.
_PATIENCE = 10.0


def check_free(
    folder: str | Path, *, unfinished: bool = False, training: str | None = None
) -> Path:
    """Return the folder if a run can be written there.

    With ``unfinished`` it may hold a run that is not finished, which is then gone on with;
    not one of another training than ``training``, if that says what it calls itself.

    Raises
    ------
    RunError
        If it holds files already or cannot be made.
    """
    folder = Path(folder).expanduser().resolve()
    recover(folder)
    check_ours(folder)
    if is_unfinished(folder):
        if not unfinished:
            raise RunError(
                f"{folder} holds a run that is not finished; continue it with --resume, or "
                "choose another folder."
            )
        if training is not None:
            _check_same_training(folder, training)
        return check_folder(folder)
    if (folder / CONFIG).exists() and (folder / "embedding.csv").exists():
        raise RunError(
            f"{folder} already holds a run; choose another folder or remove it first."
        )
    if folder.is_file():
        raise RunError(f"{folder} is a file; choose a folder for the run.")
    try:
        if folder.is_dir() and not all(_is_passing(p) for p in folder.iterdir()):
            raise RunError(f"{folder} is not empty; choose a new folder for the run.")
    except OSError as error:
        raise RunError(
            f"{folder} cannot be looked into ({error.strerror or error}); choose another "
            "folder."
        ) from None
    return check_folder(folder)


def _is_passing(path: Path) -> bool:
    """Whether something in a folder is of a run that was ended before it had a map."""
    return (path.name in (FOLDER, SAVING) and path.is_dir()) or is_leftover(path.name)


def _check_same_training(folder: Path, training: str) -> None:
    """Check that neither map nor checkpoint in a folder are of another training."""
    owners = [(_config_of(folder).get("training") or {}).get("id", training)]
    with contextlib.suppress(RunError):  # a damaged one is nobody's
        owners.append(read_state(state_file(folder), tensors=False).get("id", training))
    if any(owner != training for owner in owners):
        raise RunError(
            f"{folder} already holds another run that is not finished; choose another folder."
        )


def check_room(folder: Path, needed: int) -> None:
    """Raise a :class:`RunError` if the system says that the disk of a folder has no room."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        disk = shutil.disk_usage(folder)
    except OSError:
        return
    if disk.total > 0 and disk.free < needed:
        raise RunError(
            f"The run takes about {needed / 1e6:,.0f} MB, but only {disk.free / 1e6:,.0f} MB "
            f"are free in {folder}; make room there, or choose another folder."
        )


# -- saving --------------------------------------------------------------------


def begin(folder: Path) -> Path:
    """Give an empty folder to write a run into that is to lie in ``folder``."""
    part = folder / SAVING
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    return part


def discard(folder: Path) -> None:
    """Give up what was being written; what lies in the folder besides stays."""
    shutil.rmtree(folder / SAVING, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.rmdir()  # it is empty if nobody had it before


def put_in_place(folder: Path) -> None:
    """Let what was written since :func:`begin` be the run of a folder.

    Raises
    ------
    RunError
        If a file cannot be moved: the run is whole all the same, and is put right when it
        is opened again.
    OSError
        If nothing was changed.
    """
    flush_folder(folder / SAVING)
    os.replace(folder / SAVING, folder / SAVED)
    flush_folder(folder)
    try:
        _settle(folder)
    except OSError as error:
        name = f" {Path(error.filename).name}" if error.filename else ""
        raise RunError(
            f"The run is saved in {folder / SAVED}, but could not take its place in {folder}, "
            f"since the file{name} there cannot be replaced ({error.strerror or error}); close "
            "it in other programs and open the run again."
        ) from None


def recover(folder: Path) -> None:
    """Go on with what a process began that ended while it saved a run.

    Raises
    ------
    RunError
        If that is impossible.
    """
    until = time.monotonic() + _PATIENCE
    while (folder / SAVED).is_dir():
        try:
            with alone_in(folder):
                _settle(folder)
        except RunError:  # whoever saves it is still at it
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        except OSError as error:
            raise RunError(
                f"The run in {folder} was being saved when its process ended, and that cannot "
                f"be brought to an end ({error.strerror or error}); open it where it can be "
                "written."
            ) from None


@contextlib.contextmanager
def reading(folder: str | Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Give the folder of a saved run and what its ``config.json`` says, to read the rest.

    Raises
    ------
    RunError
        If the folder is not a run, or anything is raised of what it holds.
    """
    folder = Path(folder).expanduser().resolve()
    recover(folder)
    if not (folder / CONFIG).is_file():
        raise RunError(
            f"{folder} is not a saved run: it holds no config.json; choose a folder that "
            "patchmap wrote."
        )
    try:
        yield folder, json.loads((folder / CONFIG).read_text("utf-8"))
    except (RunError, MissingPackageError):
        raise
    except Exception as error:  # a damaged file may raise anything
        raise RunError(
            f"The run in {folder} is damaged ({words(error)}); restore its files or train "
            "again."
        ) from error


def _settle(folder: Path) -> None:
    """Move the files of a run to their places; may be ended and begun again anywhere."""
    saved = folder / SAVED
    if (saved / CONFIG).exists():
        ours, new = files_of(folder), files_of(saved)
        for name in sorted(os.listdir(saved)):
            if name != CONFIG:
                _move(saved / name, folder / name, ours)
        for name in ours - new:
            if (folder / name).is_file():
                (folder / name).unlink(missing_ok=True)
        flush_folder(folder)
        _move(saved / CONFIG, folder / CONFIG, ours)
    if _config_of(folder).get("complete"):
        remove_checkpoint(folder)
    for path in leftovers(folder):
        path.unlink(missing_ok=True)
    with contextlib.suppress(FileNotFoundError):
        saved.rmdir()


def _move(path: Path, to: Path, ours: set[str]) -> None:
    """Move a file of ours; what somebody put where it belongs is kept under another name."""
    if os.path.lexists(to) and (to.name not in ours or to.is_dir()):
        kept, again = to.with_name(f"{to.stem} (not of the run){to.suffix}"), 2
        while os.path.lexists(kept):
            kept = to.with_name(f"{to.stem} (not of the run {again}){to.suffix}")
            again += 1
        os.replace(to, kept)
    with contextlib.suppress(FileNotFoundError):  # another process did it
        os.replace(path, to)


def files_of(folder: Path) -> set[str]:
    """Name the files in a folder that a saved run of ours put there."""
    config = _config_of(folder)
    if not config:
        return set()
    listed = config.get(FILES)
    if not isinstance(listed, list):
        return set(BEFORE)
    return {name for name in listed if isinstance(name, str) and os.path.basename(name) == name}


def _config_of(folder: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        config = json.loads((folder / CONFIG).read_text("utf-8"))
        if isinstance(config, dict) and set(config) >= _OF_OURS:
            return config
    return {}
