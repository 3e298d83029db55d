"""Same seed, same map, in every process and from the first computation on."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

#: Sees what importing a room computes.
WATCH = """
import sys, torch
from torch.utils._python_dispatch import TorchDispatchMode
class Watch(TorchDispatchMode):
    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if "sqrt" in str(function):
            print("root of", args[0].numel())
        return function(*args, **(kwargs or {}))
with Watch():
    __import__(sys.argv[1])
"""

#: A map of pixels, and distances as they are computed first, by two threads.
MAP = """
import hashlib
import numpy as np, torch
torch.set_num_threads(2)
from napari_patchmap.layout.neighbour_search import nearest
from napari_patchmap.layout.tsne import Tsne
features = np.random.default_rng(0).normal(size=(400, 192)).astype(np.float32) * 100
found = nearest(features, 90)
layout = Tsne(iterations=20).lay_out(features[:100], jobs=2)
print(hashlib.sha256(b"".join(part.tobytes() for part in (*found, layout))).hexdigest())
"""


def start(code: str, *args: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", code, *args],
        env=os.environ | {"OMP_NUM_THREADS": "2"},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("room", ["augment", "networks", "layout.neighbour_search"])
def test_mkl_knows_the_processor_before_two_threads_ask(room):
    """Otherwise one of them may compute with 12 bits: see ``mkl.py``."""
    said, _ = start(WATCH, f"napari_patchmap.{room}").communicate(timeout=900)
    # A single number is not divided among threads.
    assert said.splitlines()[:1] == ["root of 1"]


def test_processes_of_two_threads_agree_bit_for_bit():
    found = [process.communicate(timeout=900)[0] for process in [start(MAP) for _ in "12"]]
    assert found[0].strip()
    assert len(set(found)) == 1
