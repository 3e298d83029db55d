"""One at a time for a folder or a file that is being written: the only locks there are.

A lock is a file beside it that the system keeps locked (flock; on Windows msvcrt) for as
long as the process lives, however that ends. On a drive that cannot lock, newer versions
of filelock put a marker in its place; where that fails as well nobody is kept out.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from napari_patchmap.errors import RunError

#: Which thread of this process holds which lock, and how often it entered it.
_holders: dict[Path, tuple[int, int]] = {}
_changing = threading.Lock()


@contextlib.contextmanager
def alone_in(folder: str | Path) -> Iterator[None]:
    """Keep others from writing a folder or a file: two would overwrite each other's work.

    To be entered before the work begins. The same thread can enter it again inside of
    itself. The system gives the lock back when a process ends, however it ends. Where
    nothing can be written there is no lock.

    Raises
    ------
    RunError
        If another process, or another thread of this one, writes there just now.
    """
    folder = Path(folder).expanduser().resolve()
    lock, mine = _lock(folder), threading.get_ident()
    with _changing:
        thread, times = _holders.get(folder, (mine, 0))
        if thread != mine:
            raise _taken(folder)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout:
            raise _taken(folder) from None
        except (OSError, NotImplementedError):  # the latter: a disk that knows no locks
            pass  # whoever writes says that nothing can be written
        _holders[folder] = mine, times + 1
    try:
        yield
    finally:
        with _changing:
            if times:
                _holders[folder] = mine, times
            else:
                del _holders[folder]
            _release(lock)


def is_taken(folder: str | Path, *, unsure: bool = False) -> bool:
    """Whether this or another process writes a folder or a file just now.

    Parameters
    ----------
    folder : path
    unsure : bool
        What to return where there is no lock: nobody writes there, or the disk knows none.
    """
    lock = _lock(Path(folder).expanduser().resolve())
    with _changing:
        if lock.is_locked:
            return True
        if not Path(lock.lock_file).exists():
            return unsure
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        except (OSError, NotImplementedError):
            return unsure
        _release(lock)
    return False


def _taken(folder: Path) -> RunError:
    return RunError(
        f"{folder} is being written by another window or process (a training there, perhaps); "
        "wait for it, cancel it there, or choose another place."
    )


def _lock(folder: Path) -> FileLock:
    # Beside the folder, which may not be there yet; the same object for all threads of
    # this process.
    return FileLock(str(beside(folder, "lock")), is_singleton=True, thread_local=False)


def beside(path: Path, what: str) -> Path:
    """Path of something temporary beside a folder or a file."""
    return path.with_name(f".{path.name}.{what}")


def _release(lock: FileLock) -> None:
    # Removed while it is held: afterwards it may be another's. Windows lets that be done
    # by the lock alone.
    if lock.lock_counter == 1:
        with contextlib.suppress(OSError):
            Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()
