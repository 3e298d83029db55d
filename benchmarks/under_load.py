"""What a training reaches while other programs take the cores, and how soon it can be ended.

    taskset -c 0,1 python benchmarks/under_load.py pbc28.npz --minutes 1

Each row is one ``patchmap embed`` with the same budget: as it comes (threads chosen by
what they bring), with all threads fixed, and with one thread, while none, one or two
endless loops of another program run on the same cores. Views, steps, passes over the
patches and accuracy are those of the saved run; "keep" is the time from Ctrl+C to the end
of the program with the map saved, "leave" that from a second Ctrl+C.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))
from blood_cells import machine

_PATCHMAP = [sys.executable, "-m", "napari_patchmap.cli"]


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """Run endless loops in other processes meanwhile."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def environment(threads: int | None) -> dict[str, str]:
    """Return the environment of a command that computes with so many threads."""
    given = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    return given if threads is None else {**given, "OMP_NUM_THREADS": str(threads)}


def train(data: Path, out: Path, threads: int | None, given: list[str]) -> str:
    """Train a map and return its cells of the table."""
    command = [*_PATCHMAP, "embed", str(data), "--out", str(out), *given]
    began = time.perf_counter()
    subprocess.run(command, env=environment(threads), check=True, capture_output=True)
    took = time.perf_counter() - began
    info = json.loads((out / "config.json").read_text("utf-8"))
    metrics = json.loads((out / "metrics.json").read_text("utf-8"))
    first = pd.read_csv(out / "history.csv").query("stage == 1")
    speed = first.views_per_second.median() if len(first) else float("nan")
    steps, epochs = info["training"]["steps"], info["training"]["epochs"]
    knn = metrics["knn"]
    accuracy = "" if knn is None else f"{100 * knn['accuracy']:.1f} %"
    views = 2 * info["training"]["batch_size"] * steps[0]
    whole = "yes" if info["complete"] else "no"
    return (
        f"{speed:,.0f} | {views:,} | {steps} | {epochs[0]:.1f} | {accuracy} | {took:.0f} | "
        f"{whole}"
    )


def cancel(data: Path, out: Path, after: float, presses: int) -> float:
    """Return the seconds from the last Ctrl+C to the end of a training."""
    command = [*_PATCHMAP, "embed", str(data), "--out", str(out), "--minutes", "10"]
    command += ["--device", "cpu"]
    process = subprocess.Popen(
        command, env=environment(None), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    time.sleep(after)
    for press in range(presses):
        if press:
            time.sleep(0.3)
        began = time.perf_counter()
        process.send_signal(signal.SIGINT)
    process.wait()
    return time.perf_counter() - began


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path, help="an .npz with images and labels")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--count", type=int, help="use so many patches only")
    parser.add_argument("--loads", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, nargs="*", help="fixed ones beside our choice")
    parser.add_argument("--cancel-after", type=float, default=20.0, metavar="SECONDS")
    args = parser.parse_args()
    if not args.data.is_file():
        parser.error(f"there is no file {args.data}; give an .npz with images and labels")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    fixed = [cores, 1] if args.threads is None else args.threads
    print(f"{machine()}, budget {args.minutes:g} min\n")
    print(
        "| loops beside | threads | views/s | views | steps | epochs | 15-NN | seconds | "
        "complete |\n|---|---|---|---|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as folder:
        data = args.data.resolve()
        if args.count:
            whole = np.load(data)
            chosen = np.random.default_rng(0).permutation(len(whole["images"]))[: args.count]
            data = Path(folder) / "some.npz"
            np.savez(data, images=whole["images"][chosen], labels=whole["labels"][chosen])
        given = ["--minutes", f"{args.minutes:g}", "--augment", "rotations", "--device", "cpu"]
        number = 0
        for load in args.loads:
            for threads in (None, *fixed):
                number += 1
                with busy(load):
                    cells = train(data, Path(folder) / f"run{number}", threads, given)
                name = "chosen" if threads is None else f"{threads}"
                print(f"| {load} | {name} | {cells} |", flush=True)
        print("\n| loops beside | keep, s | leave, s |\n|---|---|---|")
        for load in args.loads:
            with busy(load):
                seconds = [
                    cancel(data, Path(folder) / f"stop{load}{n}", args.cancel_after, n)
                    for n in (1, 2)
                ]
            print(f"| {load} | {seconds[0]:.1f} | {seconds[1]:.1f} |", flush=True)


if __name__ == "__main__":
    main()
