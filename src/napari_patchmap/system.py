"""What the computer itself says, and the container that this process may run in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

#: How the names of threads begin that may be left alone with a drive that does not answer.
LEFT_ALONE = "patchmap"

#: Files in which a cgroup says how much memory it may use, uses, and could give back.
_LIMITS = {
    "cgroup": ("memory.limit_in_bytes",),
    "cgroup2": ("memory.max", "memory.high"),
}
_USED = {"cgroup": "memory.usage_in_bytes", "cgroup2": "memory.current"}
_FILES = {
    "cgroup": ("total_inactive_file", "total_active_file"),
    "cgroup2": ("inactive_file", "active_file"),
}


def free_memory(root: Path = Path("/")) -> int | None:
    """Memory that can still be used, in bytes; None where the system does not say.

    What Docker, Kubernetes or SLURM allow this process (Linux's cgroups, of both
    versions, also those around its own) counts as the computer's memory.

    Parameters
    ----------
    root : Path
        Where ``proc`` and ``sys`` are found.
    """
    free = [*_available(root), *_allowed(root)]
    return min(free) if free else None


def _available(root: Path) -> Iterator[int]:
    """Say what the whole computer has."""
    for line in _lines(root / "proc/meminfo"):
        name, _, value = line.partition(":")
        if name == "MemAvailable" and value.split()[:1]:
            yield int(value.split()[0]) * 1024


def _allowed(root: Path) -> Iterator[int]:
    """Say what each limited group that this process is in has left."""
    for kind, folder in _groups(root):
        limits = [_number(folder / name) for name in _LIMITS[kind]]
        known = [limit for limit in limits if limit is not None]
        used = _number(folder / _USED[kind])
        if known and used is not None:
            # Files that were read stay in memory for as long as nobody needs it.
            pairs = (line.split() for line in _lines(folder / "memory.stat"))
            kept = sum(int(pair[1]) for pair in pairs if pair[:1] and pair[0] in _FILES[kind])
            yield max(0, min(known) - max(0, used - kept))


def _groups(root: Path) -> Iterator[tuple[str, Path]]:
    """List the groups of this process and those around them, each as kind and folder."""
    paths = {}
    for line in _lines(root / "proc/self/cgroup"):
        number, controllers, group = line.split(":", 2)
        if number == "0" and not controllers:
            paths["cgroup2"] = PurePosixPath(group)
        elif "memory" in controllers.split(","):
            paths["cgroup"] = PurePosixPath(group)
    for line in _lines(root / "proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        kind, _, rest = after.partition(" ")
        options = rest.partition(" ")[2]
        if kind not in paths or (kind == "cgroup" and "memory" not in options.split(",")):
            continue
        inside, mount = (part.replace("\\040", " ") for part in before.split(" ")[3:5])
        path = paths[kind]
        # Within a container often only its own part of the tree is to be seen.
        if path.is_relative_to(inside):
            path = path.relative_to(inside)
        folder = root / mount.lstrip("/")
        for part in (path, *path.parents):
            yield kind, folder / str(part).lstrip("/")


def _number(path: Path) -> int | None:
    """Read a number; None if there is none, as where a limit is "max"."""
    text = " ".join(_lines(path))
    return int(text) if text.isdecimal() else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return []
