"""One process at a time for the run of a folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from napari_patchmap.errors import RunError
from napari_patchmap.runs.folder import beside


@contextlib.contextmanager
def alone_in(folder: str | Path) -> Iterator[None]:
    """Keep others from training the run of a folder: two would overwrite each other's files.

    Can be entered again inside of itself. The system gives the lock back when a
    process ends, however it ends. Where nothing can be written there is no lock.

    Raises
    ------
    RunError
        If another process trains this run just now.
    """
    folder = Path(folder).expanduser().resolve()
    lock = _lock(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise RunError(
            f"The run in {folder} is being trained by another window or process; wait for it, "
            "or cancel it there."
        ) from None
    except OSError:
        pass  # training itself says that nothing can be written, and goes on
    try:
        yield
    finally:
        _release(lock)


def is_being_trained(folder: str | Path) -> bool:
    """Whether this or another process trains the run of a folder just now."""
    lock = _lock(Path(folder).expanduser().resolve())
    if lock.is_locked:
        return True
    if not Path(lock.lock_file).exists():
        return False
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False
    _release(lock)
    return False


def _lock(folder: Path) -> FileLock:
    # Beside the folder, which takes another's place when the run is saved; the same
    # object for all threads of this process.
    return FileLock(str(beside(folder, "lock")), is_singleton=True, thread_local=False)


def _release(lock: FileLock) -> None:
    lock.release()
    if not lock.is_locked:
        with contextlib.suppress(OSError):
            Path(lock.lock_file).unlink(missing_ok=True)
