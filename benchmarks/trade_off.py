"""Neighbours or groups that stand apart: one run of SimCLR, laid out in several ways.

    python benchmarks/trade_off.py pbc28.npz [--minutes 5] [--seed 0] [--tsimcne]

SimCLR is trained once; its features are then laid out by t-SNE with other settings
(``patchmap tsne``), each measured by 15-NN accuracy and silhouette in 2-D.
``--tsimcne`` trains t-SimCNE for as many minutes beside it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from blood_cells import machine, row

#: What is tried, beside the t-SNE of the run itself.
WAYS: tuple[tuple[str, ...], ...] = (
    ("--exaggeration", "2"),
    ("--exaggeration", "4"),
    ("--last-exaggeration", "1.5"),
    ("--last-exaggeration", "2"),
    ("--last-exaggeration", "3"),
    ("--tsne-metric", "cosine", "--last-exaggeration", "2"),
    ("--perplexity", "100"),
)


def patchmap(*words: object) -> float:
    """Run a command; return minutes."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "napari_patchmap.cli", *map(str, words)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return (time.perf_counter() - began) / 60


def score(name: str, minutes: float, run: Path) -> None:
    """Print the row of a run."""
    row(name, minutes, json.loads((run / "metrics.json").read_text()))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--augment", default="rotations")
    parser.add_argument("--tsimcne", action="store_true")
    args = parser.parse_args()
    print(f"{machine()}\n\n| map | minutes | 15-NN accuracy in 2-D | silhouette |")
    print("|---|---|---|---|", flush=True)
    given = ["--minutes", args.minutes, "--seed", args.seed, "--augment", args.augment]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for method in ("tsimcne", "simclr") if args.tsimcne else ("simclr",):
            out = home / method
            took = patchmap("embed", args.data, "--out", out, "--method", method, *given)
            score(method, took, out)
        for number, way in enumerate(WAYS):
            out = home / str(number)
            more = patchmap("tsne", home / "simclr", "--out", out, *way)
            score(f"the same features, {' '.join(way)}", took + more, out)


if __name__ == "__main__":
    main()
