"""How good are suggestions, how honest their confidence, and how fast is all of it?

``python benchmarks/suggest.py pbc28.npz RUN [RUN ...]`` for the tables on features of runs of
the labelled set, ``python benchmarks/suggest.py --speed`` for seconds on drawn features (128
each).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np

from napari_patchmap.explore import cross_check
from napari_patchmap.explore.classifiers import CANDIDATES, Logistic, Neighbours
from napari_patchmap.explore.similar import more_like
from napari_patchmap.explore.suggest import Suggestions, suggest
from napari_patchmap.explore.useful import most_useful

WAYS = {
    "logistic": tuple(one for one in CANDIDATES if isinstance(one, Logistic)),
    "neighbours": tuple(one for one in CANDIDATES if isinstance(one, Neighbours)),
    "chosen": CANDIDATES,
}


def recall(found: Suggestions, codes: np.ndarray, true: np.ndarray) -> float:
    """Balanced accuracy of the patches that were not annotated."""
    right = (found.codes == true) & (codes < 0)
    classes = np.unique(true)
    return float(
        np.mean([right[true == k].sum() / ((codes < 0) & (true == k)).sum() for k in classes])
    )


def by_number(x: np.ndarray, true: np.ndarray, names: list[str], draws: int) -> None:
    """Print accuracy and calibration against the number of annotated patches of each class."""
    print(
        "| each class | logistic | neighbours | chosen | said | in interval | confidence "
        "| right |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for each in (3, 5, 10, 25, 50):
        rows: dict[str, list[float]] = {}
        for draw in range(draws):
            rng = np.random.default_rng(draw)
            codes = np.full(len(true), -1, np.int16)
            for k in range(len(names)):
                codes[rng.choice(np.flatnonzero(true == k), each, replace=False)] = k
            for way, candidates in WAYS.items():
                with mock.patch.object(cross_check, "CANDIDATES", candidates):
                    found = suggest(x, codes, names, seed=draw)
                rows.setdefault(way, []).append(recall(found, codes, true))
            rest = codes < 0
            rows.setdefault("said", []).append(found.score)
            inside = found.low <= rows["chosen"][-1] <= found.high
            rows.setdefault("inside", []).append(inside)
            rows.setdefault("confidence", []).append(float(found.confidence[rest].mean()))
            rows.setdefault("right", []).append(float((found.codes == true)[rest].mean()))
        print(
            f"| {each} | "
            + " | ".join(f"{100 * np.mean(v):.1f} %" for v in rows.values())
            + " |"
        )


def by_choice(x: np.ndarray, true: np.ndarray, names: list[str], draws: int) -> None:
    """Print balanced accuracy while 20 more are annotated again and again."""
    steps = range(20, 201, 20)
    print("| annotated | " + " | ".join(map(str, steps)) + " |")
    print("|---" * (len(steps) + 1) + "|")
    for way in ("useful", "random"):
        curve = np.full((draws, len(steps)), np.nan)
        for draw in range(draws):
            rng = np.random.default_rng(draw)
            codes, found = np.full(len(true), -1, np.int16), None
            for at in range(len(steps)):
                if way == "useful":
                    new = most_useful(x, found, codes, 20, seed=draw)
                else:
                    new = rng.choice(np.flatnonzero(codes < 0), 20, replace=False)
                codes[new] = true[new]
                found = suggest(x, codes, names, seed=draw)
                curve[draw, at] = recall(found, codes, true)
        print(f"| {way} | " + " | ".join(f"{100 * v:.1f} %" for v in curve.mean(axis=0)) + " |")


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def speed(sizes: list[int]) -> None:
    """Print seconds on drawn features."""
    print(
        "| patches | suggest, 48 annotated | 400 | 10,000 | 20 most useful | like one "
        "| like 1,000 |"
    )
    print("|---|---|---|---|---|---|---|")
    for count in sizes:
        rng = np.random.default_rng(0)
        true = rng.integers(0, 8, count)
        x = rng.standard_normal((count, 128), np.float32)
        x[np.arange(count), true] += 4
        row = []
        for many in (48, 400, 10_000):
            codes = np.full(count, -1, np.int16)
            codes[:many] = true[:many]
            kept: list[Suggestions] = []
            row.append(seconds(lambda: kept.append(suggest(x, codes, list("abcdefgh")))))  # noqa: B023
        row.append(seconds(lambda: most_useful(x, kept[0], codes)))  # noqa: B023
        row.append(seconds(lambda: more_like(x, np.array([3]))))  # noqa: B023
        row.append(seconds(lambda: more_like(x, np.arange(1000))))  # noqa: B023
        print(f"| {count:,} | " + " | ".join(f"{s:.2f} s" for s in row) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("runs", type=Path, nargs="*")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--sizes", type=int, nargs="+", default=[17_092, 300_000, 1_000_000])
    parser.add_argument("--draws", type=int, default=5)
    args = parser.parse_args()
    if args.speed:
        speed(args.sizes)
    if args.data is None:
        return
    with np.load(args.data) as data:
        true, names = data["labels"].astype(int).ravel(), [str(n) for n in data["class_names"]]
    for run in args.runs:
        x = np.load(run / "features.npy", mmap_mode="r")
        print(f"\n{run.name}: {x.shape[0]:,} x {x.shape[1]}")
        by_number(x, true, names, args.draws)
        by_choice(x, true, names, args.draws)


if __name__ == "__main__":
    main()
