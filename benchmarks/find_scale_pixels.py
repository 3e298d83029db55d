"""Duplicates and odd ones among 300,000 patches: seconds and memory, on the cores at hand.

Seconds are those of the clock, then those of all processors together, which others' work does
not change so much.

The cells of a file are repeated, each copy turned, shifted and noisy enough to be another
cell, with random features of as many groups::

    python benchmarks/find_scale_pixels.py pbc28.npz
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np

from napari_patchmap.find.duplicates import DUPLICATES
from napari_patchmap.find.odd import ODD
from napari_patchmap.find.search import FindInput, Found
from napari_patchmap.patches import from_array, open_patches


def many(cells: np.ndarray, count: int, draw: np.random.Generator) -> np.ndarray:
    """Make patches (count, side, side, 3) of two cells each, laid over each other."""
    out = np.empty((count, *cells.shape[1:]), np.uint8)
    for start in range(0, count, 10_000):
        rows = slice(start, min(start + 10_000, count))
        first, second = draw.integers(len(cells), size=(2, len(out[rows])))
        share = draw.uniform(0.3, 0.7, (len(first), 1, 1, 1))
        mixed = share * cells[first] + (1 - share) * cells[second][:, ::-1]
        out[rows] = np.rint(mixed).astype(np.uint8)
    return out


def main() -> None:
    """Make the patches, look, and print rows of the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--count", type=int, default=300_000)
    parser.add_argument("--features", type=int, default=512)
    args = parser.parse_args()
    draw = np.random.default_rng(0)
    patches = from_array(many(open_patches(args.data).stack(), args.count, draw), name="many")
    middles = draw.normal(size=(200, args.features)).astype(np.float32)
    features = middles[draw.integers(200, size=args.count)]
    features += draw.normal(size=features.shape).astype(np.float32) * 0.7
    given = FindInput(np.zeros((args.count, 2), np.float32), features, patches.table, patches)
    for search in (DUPLICATES, ODD):
        before = _megabytes()
        began, used = time.perf_counter(), time.process_time()
        found = search.find(given, search.config(), _on)
        took, used = time.perf_counter() - began, time.process_time() - used
        more = _megabytes() - before
        print(
            f"| {search.title} | {took:.0f} s | {used:.0f} s | {more:,} MB more "
            f"| {found.lines[0]} |",
            flush=True,
        )


def _on(found: Found | None, done: int, total: int) -> bool:
    return False


def _megabytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
