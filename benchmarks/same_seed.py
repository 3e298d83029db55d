"""Same seed, same map, in every process?

    OMP_NUM_THREADS=2 python benchmarks/same_seed.py [--methods tsimcne simclr dino pixels]
        [--processes 100] [--count 200] [--minutes 10] [--forked]

Each process makes the map of the same made-up cells with one method, two threads and one
seed, and saves it; files embedding.csv are compared byte by byte. The minutes are a budget for
each method: what is not done by then is said. ``pretrained`` needs the published weights.

With ``--forked`` (Linux) the processes are born of one that imported everything and computed
nothing, so their threads, like their first numbers, are still their own; it takes a fraction
of the time.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import importlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

METHODS = ("pixels", "simclr", "tsimcne", "dino", "pretrained")
#: What takes long to import, and computes nothing by that.
_USED = (
    "matplotlib.figure",
    "napari_patchmap.patches.readers.arrays",
    "napari_patchmap.runs",
    "napari_patchmap.training",
    "openTSNE",
    "pandas",
    "sklearn.decomposition",
    "sklearn.neighbors",
    "torch",
)
EPOCHS = {"tsimcne": (2.0, 2.0, 1.0), "simclr": (2.0,), "dino": (1.0,)}


def make(method: str, count: int) -> str:
    """Make a map and return what its table hashes to; in this process."""
    import numpy as np

    from napari_patchmap.patches.readers.arrays import from_array
    from napari_patchmap.runs import RunConfig, TrainConfig
    from napari_patchmap.training import fit

    rng = np.random.default_rng(0)
    colours = rng.integers(40, 215, (8, 1, 1, 3))
    pixels = colours[np.arange(count) % 8] + rng.normal(0, 20, (count, 28, 28, 3))
    cells = from_array(pixels.clip(0, 255).astype(np.uint8), name="cells", axes="NYXC")
    settings = {"method": method, "device": "cpu", "seed": 0, "batch_size": 64}
    if method in EPOCHS:
        settings |= {"backbone": "compact", "epochs": EPOCHS[method]}
    run = fit(cells, RunConfig(TrainConfig(**settings)))
    with tempfile.TemporaryDirectory() as place:
        run.save(Path(place) / "run")
        table = (Path(place) / "run" / "embedding.csv").read_bytes()
    return hashlib.sha256(table).hexdigest()


def started(method: str, count: int, threads: str) -> str:
    """Make a map in a process of its own; return the hash, or "failed"."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", "--methods", method, "--count", str(count)],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": threads},
    )
    return done.stdout.strip() if done.returncode == 0 else "failed"


def forked(method: str, count: int, threads: str) -> str:
    """Make a map in a copy of this process; return the hash, or "failed"."""
    assert os.environ["OMP_NUM_THREADS"] == threads
    for name in _USED:
        importlib.import_module(name)
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.write(writes, make(method, count).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writes)
    with os.fdopen(reads) as answer:
        found = answer.read()
    _, status = os.waitpid(child, 0)
    return found if status == 0 else "failed"


def main() -> int:
    """Print a row for each method; 1 if maps differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS[:-1])
    parser.add_argument("--processes", type=int, default=100)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--forked", action="store_true")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(make(args.methods[0], args.count))
        return 0
    threads = os.environ.setdefault("OMP_NUM_THREADS", "2")
    print(f"{args.count} cells, {threads} threads\n")
    print(
        "| method | processes | different maps | failed | seconds | hash of a map |\n"
        + "|---" * 6
        + "|"
    )
    bad = 0
    for method in args.methods:
        began, seen = time.monotonic(), collections.Counter[str]()
        while sum(seen.values()) < args.processes:
            seen[(forked if args.forked else started)(method, args.count, threads)] += 1
            if time.monotonic() - began > 60 * args.minutes:
                break
        failed, made = seen.pop("failed", 0), sum(seen.values())
        bad += failed > 0 or len(seen) != 1
        seconds = time.monotonic() - began
        first = next(iter(seen), "")[:8]
        print(
            f"| {method} | {made} | {len(seen)} | {failed} | {seconds:.0f} | {first} |",
            flush=True,
        )
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
