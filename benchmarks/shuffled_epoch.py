"""A set larger than most memories: a shuffled epoch against a straight read of its bytes.

``python benchmarks/shuffled_epoch.py pbc28.npz [--patches 327680] [--file BIG.npy] [--keep]``

Makes an .npy file of 96 x 96 RGB patches out of the real ones in an .npz
(enlarged, mirrored and turned; 9 GB), then measures, each in a fresh process:

sequential
    a straight read of the file in blocks of 8 MB;
open
    ``open_patches``: opened, table made, intensities and sizes known;
epoch, own type
    every patch once, in random order, in batches of 1,024, by ``PatchSet.take``;
epoch, training
    the same by ``PatchSet.pixels``, channels first, as training takes them.

Prints seconds, GB/s, the ratio to the straight read and the peak of resident
memory. The file lies in the system's file cache as far as that has room, for
all ways alike; ``--cold`` drops it before each.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SIDE, BATCH, BLOCK = 96, 1024, 8_000_000


def make(source: Path, path: Path, count: int) -> None:
    """Write ``count`` patches to ``path``, a part at a time."""
    from napari_patchmap.patches.fit import resize

    small = np.load(source)["images"]
    out = np.lib.format.open_memmap(path, "w+", np.uint8, (count, SIDE, SIDE, 3))
    for start in range(0, count, BATCH):
        rows = np.arange(start, min(start + BATCH, count))
        large = resize(small[rows % len(small)], (SIDE, SIDE))
        turns = start // len(small)  # each round over the set another orientation
        large = np.rot90(large, turns % 4, (1, 2))
        out[rows] = large[:, :, ::-1] if turns // 4 % 2 else large
        if start % (64 * BATCH) == 0:
            out.flush()


def sequential(path: Path) -> float:
    """Read the file from start to end; return seconds."""
    buffer = bytearray(BLOCK)
    start = time.perf_counter()
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass
    return time.perf_counter() - start


def measure(way: str, path: Path) -> float:
    """Do one thing and return its seconds."""
    if way == "sequential":
        return sequential(path)
    from napari_patchmap.patches import open_patches

    start = time.perf_counter()
    patches = open_patches(path)
    if way == "open":
        return time.perf_counter() - start
    order = np.random.default_rng(0).permutation(len(patches))
    start = time.perf_counter()
    for first in range(0, len(order), BATCH):
        batch = order[first : first + BATCH]
        if way == "epoch, own type":
            patches.take(batch)
        else:
            patches.pixels(batch, (SIDE, SIDE))
    return time.perf_counter() - start


def drop_from_cache(path: Path) -> None:
    """Ask the system to forget what it holds of a file."""
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def main() -> None:
    """Make the file, measure each way in its own process, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, nargs="?", help=".npz with an array 'images'")
    parser.add_argument("--patches", type=int, default=327_680)
    parser.add_argument("--file", type=Path, help="the .npy to make, or to use if it exists")
    parser.add_argument("--keep", action="store_true", help="leave the file in place")
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--way", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        seconds = measure(options.way, options.file)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps([seconds, peak]))
        return
    path = options.file or Path(tempfile.gettempdir()) / "patchmap-epoch.npy"
    if not path.exists():
        # In a process of its own: a child begins with the peak memory of its parent.
        context = multiprocessing.get_context("spawn")
        maker = context.Process(target=make, args=(options.source, path, options.patches))
        maker.start()
        maker.join()
    size = path.stat().st_size
    print(
        f"{size / 1e9:.2f} GB, {len(os.sched_getaffinity(0))} cores, best of {options.repeats}"
    )
    base = 0.0
    for way in ("sequential", "open", "epoch, own type", "epoch, training"):
        runs = []
        for _ in range(options.repeats):
            if options.cold:
                drop_from_cache(path)
            command = [sys.executable, __file__, "--way", way, "--file", str(path)]
            runs.append(json.loads(subprocess.check_output(command)))
        seconds, peak = min(runs)
        base = base or seconds
        rate = f"{size / seconds / 1e9:6.2f} GB/s  {base / seconds:5.2f} x"
        rate = "" if way == "open" else rate
        print(f"{way:16s} {seconds:7.2f} s  peak {peak / 1e9:5.2f} GB  {rate}")
    if not options.keep and options.file is None:
        path.unlink()


if __name__ == "__main__":
    main()
