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
from napari_patchmap.explore.classifiers import CANDIDATES, Discriminants, Logistic, Neighbours
from napari_patchmap.explore.similar import more_like
from napari_patchmap.explore.suggest import Suggestions, suggest
from napari_patchmap.explore.useful import most_useful
from napari_patchmap.runs import Run

WAYS = {
    "discriminants": tuple(one for one in CANDIDATES if isinstance(one, Discriminants)),
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
        "| each class | discriminants | logistic | neighbours | chosen | said | in interval "
        "| confidence | right |"
    )
    print("|---" * 9 + "|")
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


def by_lasso(
    x: np.ndarray, places: np.ndarray, true: np.ndarray, names: list[str], draws: int
) -> None:
    """Print what is said after a lasso in each class and 20 more again and again.

    The lasso takes eight patches of a class that lie together on the map.
    """
    print("| annotated | held out | of the others, expected | right |")
    print("|---" * 4 + "|")
    rows: dict[int, list[tuple[float, ...]]] = {}
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        codes = np.full(len(true), -1, np.int16)
        for k in range(len(names)):
            own = np.flatnonzero(true == k)
            apart = np.linalg.norm(places[own] - places[rng.choice(own)], axis=1)
            codes[own[np.argsort(apart)[:8]]] = k
        for _ in range(12):
            found, rest = suggest(x, codes, names, seed=draw), codes < 0
            right = float((found.codes == true)[rest].mean())
            rows.setdefault(int((~rest).sum()), []).append(
                (found.score, found.expected, found.high, right)
            )
            new = most_useful(x, found, codes, 20, seed=draw)
            codes[new] = true[new]
    for annotated, said in rows.items():
        score, expected, high, right = 100 * np.mean(said, axis=0)
        print(
            f"| {annotated} | {score:.1f} % | {expected:.1f} to {high:.1f} % | {right:.1f} % |"
        )


#: How the distance of a patch to a selection may be taken from those to its members, sorted.
RULES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "nearest member": lambda apart: apart[:, 0],
    "three nearest": lambda apart: apart[:, :3].mean(axis=1),
    "nearest quarter": lambda apart: apart[:, : max(3, -(-apart.shape[1] // 4))].mean(axis=1),
    "nearest third": lambda apart: apart[:, : max(3, -(-apart.shape[1] // 3))].mean(axis=1),
    "nearest half": lambda apart: apart[:, : max(3, -(-apart.shape[1] // 2))].mean(axis=1),
    "all": lambda apart: apart.mean(axis=1),
}

#: Selections: patches of each class that is meant, classes that are, and strays of others.
SELECTIONS = ((1, 1, 0), (5, 1, 0), (20, 1, 0), (18, 1, 2), (15, 1, 5), (10, 2, 0), (90, 1, 10))


def by_rule(x: np.ndarray, true: np.ndarray, draws: int, count: int = 60) -> None:
    """Print how many of the patches found by "more like this" are of a class that is meant.

    Distances are means over some members; "centre" is that to the mean of the members, and
    "more_like" is what the program does.
    """
    x = np.asarray(x, np.float32)
    rules, classes = [*RULES, "centre", "more_like"], np.unique(true)
    print("| selected | " + " | ".join(rules) + " |")
    print("|---" * (len(rules) + 1) + "|")
    squares = (x**2).sum(axis=1)
    for each, kinds, strays in SELECTIONS:
        right: dict[str, list[float]] = {rule: [] for rule in rules}
        for draw in range(draws):
            rng = np.random.default_rng(draw)
            for k in range(len(classes)):
                meant = np.roll(classes, -k)[:kinds]
                others = np.flatnonzero(~np.isin(true, meant))
                rows = [
                    rng.choice(np.flatnonzero(true == c), each, replace=False) for c in meant
                ]
                rows = np.concatenate([*rows, rng.choice(others, strays, replace=False)])
                gaps = squares[:, None] + squares[rows] - 2 * x @ x[rows].T
                apart = np.sqrt(np.sort(np.maximum(gaps, 0), axis=1))
                found = {rule: take(apart) for rule, take in RULES.items()}
                found["centre"] = np.linalg.norm(x - x[rows].mean(axis=0), axis=1)
                for rule, distance in found.items():
                    distance[rows] = np.inf
                    best = np.argpartition(distance, count)[:count]
                    right[rule].append(float(np.isin(true[best], meant).mean()))
                best = more_like(x, rows, count).indices
                right["more_like"].append(float(np.isin(true[best], meant).mean()))
        said = " | ".join(f"{100 * np.mean(right[rule]):.1f} %" for rule in rules)
        of = f"{each} of each of {kinds} classes" if kinds > 1 else f"{each} of a class"
        print(f"| {of}{f', {strays} of others' if strays else ''} | {said} |", flush=True)


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
    tables = ("number", "choice", "lasso", "likeness")
    parser.add_argument("--tables", nargs="+", choices=tables, default=tables)
    parser.add_argument("--draws", type=int, default=5)
    args = parser.parse_args()
    if args.speed:
        speed(args.sizes)
    if args.data is None:
        return
    for path in (args.data, *(run / "features.npy" for run in args.runs)):
        if not path.is_file():
            parser.error(f"there is no file {path}; give pbc28.npz and folders of its runs")
    with np.load(args.data) as data:
        true, names = data["labels"].astype(int).ravel(), [str(n) for n in data["class_names"]]
    for run in args.runs:
        x = np.load(run / "features.npy", mmap_mode="r")
        print(f"\n{run.name}: {x.shape[0]:,} x {x.shape[1]}")
        if "number" in args.tables:
            by_number(x, true, names, args.draws)
        if "choice" in args.tables:
            by_choice(x, true, names, args.draws)
        if "lasso" in args.tables:
            by_lasso(x, Run.load(run).embedding, true, names, args.draws)
        if "likeness" in args.tables:
            by_rule(x, true, args.draws)


if __name__ == "__main__":
    main()
