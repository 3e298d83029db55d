"""Whether something can be written, asked before the work, and said where it fails."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from napari_patchmap.errors import RunError


@contextlib.contextmanager
def writing(path: object, remedy: str = "choose another place") -> Iterator[None]:
    """Turn the system's error about a file that is written into a sentence.

    Raises
    ------
    RunError
    """
    try:
        yield
    except OSError as error:
        raise RunError(
            f"{path} cannot be written ({error.strerror or error}); {remedy}."
        ) from None


def check_file(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file that can be written; one that is there may be replaced.

    Raises
    ------
    RunError
        If it is a folder, or nothing can be written there.
    """
    path = Path(os.path.abspath(os.path.expanduser(path)))
    if path.is_dir():
        raise RunError(f"{path} is a folder; name a file in it.")
    if not path.parent.is_dir():
        raise RunError(
            f"There is no folder {path.parent} to write {path.name} in; make it, or choose "
            "another place."
        )
    _probe(path.parent, path)
    if path.exists() and not os.access(path, os.W_OK):
        raise RunError(f"{path} is write-protected; choose another name, or remove it.")
    return path


def check_folder(path: str | os.PathLike[str]) -> Path:
    """Return the path of a folder in which files can be written; it need not exist yet.

    Raises
    ------
    RunError
        If it is a file, or nothing can be written there.
    """
    path = Path(os.path.abspath(os.path.expanduser(path)))
    # What is to be made is made in the nearest folder that is there.
    nearest = next(part for part in (path, *path.parents) if os.path.lexists(part))
    if not nearest.is_dir():
        raise RunError(f"{nearest} is a file; choose a folder.")
    _probe(nearest, path)
    return path


def _probe(folder: Path, wanted: Path) -> None:
    """Write a file of no name and remove it."""
    with writing(wanted):
        handle, name = tempfile.mkstemp(prefix=".patchmap-", suffix=".part", dir=folder)
    os.close(handle)
    with contextlib.suppress(OSError):
        os.unlink(name)
