"""A table of a million patches joined with a labels file of a million rows.

``python benchmarks/join_table.py [--rows 1000000] [--repeats 3]`` writes a CSV
(name, label, patient, two numbers) in shuffled order and prints the seconds that
``pandas.read_csv`` alone takes, that Patchmap takes to read the same file, to
join it and to describe the result, the best of the repeats each, and the peak
memory of the process.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.patches import PatchSet, describe
from napari_patchmap.patches.box_table import box_table
from napari_patchmap.patches.labels.join import join_labels
from napari_patchmap.patches.labels.table_file import read_table

LABELS = (
    "basophil",
    "eosinophil",
    "erythroblast",
    "ig",
    "lymphocyte",
    "monocyte",
    "neutrophil",
)


def write_csv(path: Path, names: list[str]) -> None:
    """Write a labels file that names every patch once, in another order."""
    rng = np.random.default_rng(0)
    count = len(names)
    order = rng.permutation(count)
    pd.DataFrame(
        {
            "name": np.array(names, object)[order],
            "label": np.array(LABELS, object)[rng.integers(0, len(LABELS), count)],
            "patient": rng.integers(1, 500, count),
            "area": rng.normal(80, 20, count).round(3),
            "intensity": rng.integers(0, 4096, count),
        }
    ).to_csv(path, index=False)


def best(repeats: int, what: Callable[[], Any]) -> tuple[float, Any]:
    """Return the shortest time in seconds, and the last result."""
    times, result = [], None
    for _ in range(repeats):
        result = None
        began = time.perf_counter()
        result = what()
        times.append(time.perf_counter() - began)
    return min(times), result


def peak() -> float:
    """Peak resident memory of this process in MB."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    names = [f"slide {i % 97}/cell {i}.png" for i in range(args.rows)]
    table = box_table(names, np.zeros(args.rows, np.int64), np.full((args.rows, 2), 64))
    # One image many times over: the pixels are not what is measured.
    images = np.broadcast_to(np.zeros((1, 64, 64, 1), np.uint8), (args.rows, 64, 64, 1))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.csv"
        write_csv(path, names)
        print(f"{args.rows:,} rows, {path.stat().st_size / 1e6:.0f} MB; best of {args.repeats}")
        start = peak()
        reference, _ = best(args.repeats, lambda: pd.read_csv(path))
        print(f"pandas.read_csv alone   {reference:6.2f} s   peak {peak() - start:5.0f} MB")
        start = peak()
        reading, _ = best(args.repeats, lambda: read_table(path))
        print(f"labels file read        {reading:6.2f} s")
        both, (joined, _) = best(args.repeats, lambda: join_labels(table, path, names, "set"))
        print(
            f"read and joined         {both:6.2f} s   {both / reference:.1f} x pandas.read_csv"
        )
        assert joined["label"].notna().all()
        patches = PatchSet(images, joined, ("grey",))
        seconds, lines = best(args.repeats, lambda: describe(patches))
        print(f"described               {seconds:6.2f} s   ({lines[1]})")
        print(
            f"peak memory             {peak():6.0f} MB, {peak() - start:.0f} more than before"
        )


if __name__ == "__main__":
    main()
