"""Pixels of a set are read as they are wanted, and held once where all are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_patchmap.networks import pixels as module
from napari_patchmap.networks.pixels import PatchPixels, in_memory
from tests.conftest import make_cells

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")


@pytest.mark.parametrize("part", [1, 5000, 1 << 27])
def test_all_pixels_are_held_in_their_order(monkeypatch, part):
    monkeypatch.setattr(module, "_PART", part)
    cells, calls = make_cells(30), []
    held = in_memory(PatchPixels(cells, (16, 16)), CPU, lambda: calls.append(1))
    assert held.is_contiguous()
    assert np.array_equal(held.numpy(), cells.pixels(np.arange(30), (16, 16)))
    assert calls
    small = in_memory(PatchPixels(cells, (8, 8)), CPU, lambda: None)
    assert np.array_equal(small.numpy(), cells.pixels(np.arange(30), (8, 8)))


def test_whoever_leaves_does_not_wait_for_all_pixels(monkeypatch):
    monkeypatch.setattr(module, "_PART", 1)
    calls = []

    def leave() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_memory(PatchPixels(make_cells(30), (16, 16)), CPU, leave)
    assert len(calls) == 3


SCRIPT = """
import sys, torch
from napari_patchmap.networks.pixels import PatchPixels, in_memory
from napari_patchmap.patches import open_patches

def taken(what):  # in bytes; the peak is of the whole life of a process
    lines = open("/proc/self/status").read().splitlines()
    return 1024 * int(next(one for one in lines if one.startswith(what)).split()[1])

pixels = PatchPixels(open_patches(sys.argv[1]), (96, 96))
before = taken("VmHWM")
held = in_memory(pixels, torch.device("cpu"), lambda: None)
assert held[:, 1, 5, 7].tolist() == [200] * len(held)
print((taken("VmHWM") - before) / pixels.nbytes)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks as Linux answers")
def test_pixels_that_are_held_take_their_memory_once(tmp_path):
    path = tmp_path / "patches.npy"
    stack = np.lib.format.open_memmap(path, "w+", np.uint8, (16_000, 96, 96, 3))
    stack[:, 5, 7, 1] = 200  # and holes, which take no room on the disk
    del stack
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, path], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert float(done.stdout) < 1.6
