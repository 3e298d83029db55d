"""How long does each search take with very many patches, and what memory?

    python benchmarks/find_scale.py --patches 300000 --features 512 [--only k-means]

Each part runs in a process of its own on the same synthetic features: normal clouds of unequal
sizes around known centres, with noise in all directions. Printed are seconds, the most memory
of the process and what it had before the search, both in GB, and what the search made of what
is known.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from napari_patchmap.find.groups import GroupsConfig, find_groups
from napari_patchmap.find.representative import RepresentativeConfig, find_representative
from napari_patchmap.find.search import FindInput, Found
from napari_patchmap.patches.watch import UNWATCHED

#: Kinds of patches, and how far the centres are apart in deviations of a feature.
KINDS, APART = 25, 1.5

#: A search, and what is said of its answer beside what is known.
Part = tuple[Callable[[FindInput], Found], Callable[[Found, np.ndarray], str]]


def groups(**settings: object) -> Part:
    """Return a search for groups, compared with the kinds there are."""

    def compared(found: Found, kinds: np.ndarray) -> str:
        names = found.columns["group"]
        inside = names != ""
        ari = adjusted_rand_score(kinds[inside], names[inside])
        made = len(found.report["groups"])
        return f"{made} groups of {KINDS}, ARI {ari:.3f}, {inside.mean():.1%} in groups"

    config = GroupsConfig(**settings)  # type: ignore[arg-type]
    return lambda given: find_groups(given, config, UNWATCHED), compared


def representative(**settings: object) -> Part:
    """Return a search for representative patches."""

    def covered(found: Found, kinds: np.ndarray) -> str:
        rows = found.listed["index"].to_numpy()
        return f"{len(rows)} patches of {len(np.unique(kinds[rows]))} kinds of {KINDS}"

    config = RepresentativeConfig(**settings)  # type: ignore[arg-type]
    return lambda given: find_representative(given, config, UNWATCHED), covered


#: What is measured, by name; a search that is added gets a line here.
PARTS: dict[str, Part] = {
    "groups: k-means, suggested number": groups(),
    "groups: k-means, 3,000": groups(groups=3_000),
    "groups: HDBSCAN": groups(method="hdbscan"),
    "groups: HDBSCAN of the map": groups(method="hdbscan", of="map"),
    "groups: Leiden": groups(method="leiden"),
    "representative: 300 farthest": representative(count=300),
    "representative: grid on the map": representative(count=300, how="grid"),
    "representative: 300 by label": representative(count=300, how="column"),
}


def synthetic(count: int, features: int) -> tuple[FindInput, np.ndarray]:
    """Return patches of known kinds; their map is made of the first two features of each."""
    random = np.random.default_rng(0)
    shares = random.dirichlet(np.full(KINDS, 3.0))
    kinds = random.choice(KINDS, count, p=shares)
    centres = random.normal(0, APART, (KINDS, features)).astype(np.float32)
    values = random.standard_normal((count, features), dtype=np.float32)
    values += centres[kinds]
    middles = np.stack(np.divmod(np.arange(KINDS), 5), axis=1) * 10
    places = middles[kinds] + random.normal(0, 1.5, (count, 2))
    table = pd.DataFrame({"label": np.array([f"kind {k}" for k in range(KINDS)])[kinds]})
    return FindInput(places.astype(np.float32), values, table), kinds


def memory() -> float:
    """Return the most memory that this process has had, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def measure(name: str, count: int, features: int) -> str:
    """Run one part; return its row."""
    given, kinds = synthetic(count, features)
    before, began = memory(), time.perf_counter()
    try:
        found = PARTS[name][0](given)
    except Exception as error:  # noqa: BLE001 - the others go on
        return f"| {name} | - | - | - | {error} |"
    seconds = time.perf_counter() - began
    said = PARTS[name][1](found, kinds)
    return f"| {name} | {seconds:.1f} | {memory():.1f} | {before:.1f} | {said} |"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patches", type=int, default=300_000)
    parser.add_argument("--features", type=int, default=512)
    parser.add_argument("--only", default="", help="parts whose name has this in it")
    args = parser.parse_args()
    print(f"{args.patches:,} patches, {args.features} features\n")
    print("| search | seconds | most GB | GB before | |\n|---|---|---|---|---|")
    for name in PARTS:
        if args.only in name:
            # A process of its own, so that its memory is its own.
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                row = pool.apply(measure, (name, args.patches, args.features))
            print(row, flush=True)


if __name__ == "__main__":
    main()
