"""Which threads compute with all cores: every one but that of the window."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import threading, torch
from napari_patchmap.plugin.workspace import Workspace
torch.set_num_threads(2)
Workspace()
Workspace()
seen = []
other = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
other.start()
other.join()
print(torch.get_num_threads(), *seen)
"""


def test_the_window_leaves_all_cores_to_the_training():
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["1", "2"]
