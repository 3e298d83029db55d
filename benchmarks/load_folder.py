"""First load of a folder of JPEG files against a bare loop that only decodes them.

``python benchmarks/load_folder.py FOLDER [--repeats 5]``; all run in turn in
this process, on the same cores, from a warm file cache. The best of the
repeats counts, and the median is printed too. "First" starts from an empty
cache of decoded patches, "again" from the one that it left.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import imagecodecs
import numpy as np

from napari_patchmap.patches import open_patches
from napari_patchmap.patches.cache.cache_folder import clear_cache


def read(path: str) -> np.ndarray:
    """Decode one JPEG and do nothing else."""
    with open(path, "rb") as file:
        return imagecodecs.jpeg8_decode(file.read())


def bare_loop(files: list[str]) -> None:
    """Decode in one thread and keep the images in a list."""
    assert len([read(path) for path in files]) == len(files)


def bare_threads(files: list[str]) -> None:
    """Decode in as many threads as there are cores, 128 files a task, into a list."""
    parts = [files[i : i + 128] for i in range(0, len(files), 128)]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        images = [
            image for part in pool.map(lambda p: [read(f) for f in p], parts) for image in part
        ]
    assert len(images) == len(files)


def first(folder: Path) -> None:
    """Open the folder as if it had never been seen."""
    clear_cache()
    open_patches(folder)


def main() -> None:
    """Print a table: what, best and median seconds, files a second, ratio to the bare loop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    files = sorted(str(path) for path in options.folder.rglob("*.jpg"))
    ways: dict[str, Callable[[], object]] = {
        "bare loop": lambda: bare_loop(files),
        "bare threads": lambda: bare_threads(files),
        "Patchmap, first": lambda: first(options.folder),
        "Patchmap, again": lambda: open_patches(options.folder),
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    with tempfile.TemporaryDirectory() as cache:
        os.environ["PATCHMAP_CACHE"] = cache
        for _ in range(options.repeats + 1):
            for way, run in ways.items():
                start = time.perf_counter()
                run()
                seconds[way].append(time.perf_counter() - start)
    print(
        f"{len(files):,} files, {len(os.sched_getaffinity(0))} cores, first round not counted"
    )
    base = min(seconds["bare threads"][1:])
    for way, taken in seconds.items():
        best, median = min(taken[1:]), statistics.median(taken[1:])
        print(
            f"{way:16s} best {best:6.2f} s  median {median:6.2f} s  "
            f"{len(files) / best:9,.0f} files/s  {best / base:5.2f} x bare threads"
        )


if __name__ == "__main__":
    main()
