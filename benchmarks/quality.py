"""How long quality figures take, and how exact they are beside scikit-learn's.

    python benchmarks/quality.py [RUN ...] [--patches 17092] [--many 327680] [--exact 100000]

Made-up features of eight groups (512 numbers each) and a map of two of them with noise: they
differ in all directions, as those of a trained network do not. With runs their features and
maps, drawn from again and again with a little noise and turned into 512 dimensions, are asked
about as well. Neighbours of ``--exact`` patches are looked for for all of them, and beside it
from all distances, ``--part`` rows of them, of which the time for all is computed.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from blood_cells import machine
from sklearn.manifold import trustworthiness
from sklearn.metrics import silhouette_samples

from napari_patchmap.quality.figure import AT_FIRST, FigureInput
from napari_patchmap.quality.knn import knn_accuracy
from napari_patchmap.quality.neighbourhood import nearest_on_map, neighbourhood
from napari_patchmap.quality.silhouette import share_rows, silhouette, silhouettes


def made(count: int, features: int = 512) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a map, labels and features."""
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 8, count)
    found = rng.normal(size=(count, features)).astype(np.float32)
    found += 2 * rng.normal(size=(8, features)).astype(np.float32)[kind]
    embedding = found[:, :2] + 0.5 * rng.normal(size=(count, 2)).astype(np.float32)
    return embedding, kind.astype(str), found


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds of some work, and what it gave."""
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--patches", type=int, default=17_092)
    parser.add_argument("--many", type=int, default=327_680)
    parser.add_argument("--exact", type=int, default=100_000)
    parser.add_argument("--part", type=int, default=2_000)
    args = parser.parse_args()
    print(f"{machine()}\n\n| what | seconds | beside |\n|---|---|---|")
    beside_scikit_learn(args.patches)
    embedding, _, features = made(args.exact)
    of_many_features("made up", features, embedding, args.part)
    for run in args.runs:
        features, embedding = like(run, args.exact)
        of_many_features(f"as of {run.name}", features, embedding, args.part)
    of_many_points(args.many)
    print(
        f"\nPeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB."
    )


def beside_scikit_learn(count: int) -> None:
    """Print what both have, in turn."""
    embedding, labels, features = made(count)
    ours, mine = timed(lambda: silhouettes(FigureInput(embedding, labels)))
    points = embedding.astype(np.float64)
    theirs, wanted = timed(lambda: silhouette_samples(points, labels))
    off = np.abs(mine - wanted).max()
    print(
        f"| silhouette of {count:,} points, exact | {ours:.2f} | scikit-learn "
        f"{theirs:.2f} s, {theirs / ours:.1f} times; largest difference {off:.0e} |"
    )
    ours, near = timed(lambda: neighbourhood(features, embedding))
    theirs, known = timed(lambda: trustworthiness(features, embedding, n_neighbors=15))
    off = abs(near.trustworthiness().mean() - known)
    print(
        f"| trustworthiness, continuity, 15 and 50 neighbours kept of {count:,} x 512, "
        f"exact | {ours:.1f} | scikit-learn's trustworthiness alone {theirs:.1f} s, "
        f"{theirs / ours:.1f} times; difference {off:.0e} |"
    )


def like(run: Path, count: int, size: int = 512) -> tuple[np.ndarray, np.ndarray]:
    """Return features and a map of as many patches, like those of a run."""
    rng = np.random.default_rng(0)
    known = np.load(run / "features.npy").astype(np.float32)
    table = pd.read_csv(run / "embedding.csv")
    places = table[["axis-0", "axis-1"]].to_numpy(np.float32)
    drawn = rng.integers(0, len(known), count)
    spread = np.linalg.cholesky(np.cov(known.T) + 1e-9 * np.eye(known.shape[1]))
    found = known[drawn] + 0.1 * rng.normal(size=(count, known.shape[1])) @ spread.T
    found = found @ np.linalg.qr(rng.normal(size=(size, size)))[0][: known.shape[1]]
    found += 0.003 * found.std() * rng.normal(size=found.shape)
    noise = 0.01 * places.std() * rng.normal(size=(count, 2))
    return found.astype(np.float32), (places[drawn] + noise).astype(np.float32)


def of_many_features(name: str, features: np.ndarray, embedding: np.ndarray, part: int) -> None:
    """Print what the neighbours of so many patches take, and how long cores were busy."""
    count, began = len(features), time.process_time()
    ours, found = timed(lambda: neighbourhood(features, embedding))
    busy = time.process_time() - began
    there = torch.from_numpy(features - features.mean(axis=0))
    near = nearest_on_map(embedding.astype(np.float64), np.arange(part), 15)
    began = time.process_time()
    share = plainly(there, near)
    theirs = (time.process_time() - began) * count / part
    off = abs(found.kept[15][:part].mean() - share)
    print(
        f"| the same of {count:,} x {features.shape[1]}, {name}, exact | {ours:.0f} | "
        f"{busy:.0f} s of one core; all distances {theirs:.0f} s (from {part:,} rows), "
        f"{theirs / busy:.1f} times; difference of neighbours kept {off:.0e} |",
        flush=True,
    )


def plainly(there: torch.Tensor, near: np.ndarray) -> float:
    """Return the share of 15 neighbours kept, as ranks are counted from all distances."""
    halves, rows = there.square().sum(dim=1) / 2, np.arange(len(near))
    kept = []
    for some in np.array_split(np.arange(len(rows)), max(1, len(rows) * len(there) // 2**26)):
        own = torch.from_numpy(rows[some])
        apart = torch.addmm(halves[None], there[own], there.T, alpha=-1)
        apart[torch.arange(len(own)), own] = torch.inf
        nearest = apart.topk(50, dim=1, largest=False).values
        edges = apart.gather(1, torch.from_numpy(near[some]))
        values, limits = apart.numpy(), edges.numpy()

        def count(some: np.ndarray, values: Any = values, limits: Any = limits) -> None:
            for row in some:  # the ranks, of which nothing is kept here
                [np.count_nonzero(values[row] < limit) for limit in limits[row]]

        share_rows(count, np.arange(len(own)), len(there))
        kept.append((edges <= nearest[:, 14:15]).double().mean(dim=1))
    return float(torch.cat(kept).mean())


def of_many_points(count: int) -> None:
    """Print what figures of a large map take that need no features."""
    embedding, labels, _ = made(count, 2)
    ours, _ = timed(lambda: knn_accuracy(FigureInput(embedding, labels)))
    print(f"| 15-NN accuracy of {count:,} points | {ours:.1f} | |")
    given = FigureInput(embedding, labels, most=AT_FIRST)
    ours, found = timed(lambda: silhouette(given))
    width = found["high"] - found["low"]
    print(
        f"| silhouette of {count:,} points, an estimate of {found['n']:,} | {ours:.1f} | "
        f"{found['mean']:.4f}, 95 % interval {width:.4f} wide |"
    )


if __name__ == "__main__":
    main()
