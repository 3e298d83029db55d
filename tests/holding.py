"""Another program that writes to a run's folder, as another window does."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_CODE = """
import sys
from napari_patchmap.lock import alone_in
with alone_in(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def held_elsewhere(folder: str | Path) -> Iterator[None]:
    """Have another program keep a folder to itself until it ends."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", _CODE, folder], stdin=pipe, stdout=pipe
    ) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == b"held\n"
            yield
        finally:
            other.kill()
