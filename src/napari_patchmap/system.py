"""What the computer itself says."""

from __future__ import annotations

from pathlib import Path


def free_memory() -> int | None:
    """Memory that can still be used, in bytes; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except OSError:
        return None
    values = dict(line.split(":", 1) for line in lines)
    if "MemAvailable" not in values:
        return None
    return int(values["MemAvailable"].split()[0]) * 1024
