"""Telling, without reading them, whether files are still those of last time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

#: Raised when a change of ours decodes the same files to other pixels.
_VERSION = 2


def fingerprint(kind: str, files: Iterable[tuple[str, str | Path]], **options: Any) -> str:
    """Digest names, sizes and times of files, and the options that change pixels.

    Each file has a name in its set, and a place; where the set lies does not matter. Options
    may be anything with a stable ``repr``. The hexadecimal text is the same for as long as
    nothing changes. A file's status change time is part of it, which nobody sets back, unlike
    its modification time.
    """
    digest = hashlib.sha256(repr((kind, _VERSION, sorted(options.items()))).encode())
    for name, path in files:
        try:
            stat = os.stat(path)
            known = (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        except OSError:
            known = (-1, 0, 0)
        digest.update(f"{name!r} {known}".encode())
    return digest.hexdigest()[:40]
