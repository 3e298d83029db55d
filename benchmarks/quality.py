"""How long quality figures take, and how exact they are beside scikit-learn's.

    python benchmarks/quality.py [--patches 17092] [--many 327680] [--exact 100000]

Made-up features of eight groups (512 numbers each) and a map of two of them with noise.
Neighbours of ``--exact`` patches are looked for for ``--part`` of them, and the time for all
is that times as many.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from blood_cells import machine
from sklearn.manifold import trustworthiness
from sklearn.metrics import silhouette_samples

from napari_patchmap.quality.figure import AT_FIRST, FigureInput
from napari_patchmap.quality.knn import knn_accuracy
from napari_patchmap.quality.neighbourhood import neighbourhood
from napari_patchmap.quality.silhouette import silhouette, silhouettes


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
    parser.add_argument("--patches", type=int, default=17_092)
    parser.add_argument("--many", type=int, default=327_680)
    parser.add_argument("--exact", type=int, default=100_000)
    parser.add_argument("--part", type=int, default=4_000)
    args = parser.parse_args()
    print(f"{machine()}\n\n| what | seconds | beside |\n|---|---|---|")
    beside_scikit_learn(args.patches)
    of_many_features(args.exact, args.part)
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


def of_many_features(count: int, part: int) -> None:
    """Print what the neighbours of so many patches take, from a part of them."""
    embedding, _, features = made(count)
    rows = np.arange(part)
    ours, _ = timed(lambda: neighbourhood(features, embedding, rows=rows))
    print(
        f"| the same of {count:,} x 512, exact | {ours * count / part:.0f} | from {part:,} of "
        f"them in {ours:.1f} s |"
    )


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
