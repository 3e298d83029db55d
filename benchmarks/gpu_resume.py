"""Does a run that was killed go on, with every optimiser, on this device?

    python benchmarks/gpu_resume.py [--device auto] [--then DEVICE]
        [--optimisers sgd adamw lars lamb muon] [--at-once N]

For each optimiser a process of its own trains made-up cells, is killed with SIGKILL after
its first checkpoint, and another process resumes it to its end. ``--then`` is the device of
the second one. Needs nothing but the engine (LARS and LAMB need timm).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

OPTIMISERS = ("sgd", "adamw", "lars", "lamb", "muon")

#: Passes over the cells in the stages, and how many cells there are: long enough to be
#: interrupted.
EPOCHS = (80.0, 4.0, 4.0)
CELLS = 512


def train(folder: Path, optimiser: str, device: str, resume: bool) -> None:
    """Train, or go on; in this process, which may be killed. Print what came of it."""
    import numpy as np

    from napari_patchmap.patches.readers.arrays import from_array
    from napari_patchmap.runs import RunConfig, TrainConfig
    from napari_patchmap.training import fit

    rng = np.random.default_rng(0)
    colours = rng.integers(40, 215, (8, 1, 1, 3))
    pixels = colours[np.arange(CELLS) % 8] + rng.normal(0, 20, (CELLS, 28, 28, 3))
    cells = from_array(pixels.clip(0, 255).astype(np.uint8), name="cells", axes="NYXC")
    notes: list[str] = []
    settings = TrainConfig(
        optimiser=optimiser,
        backbone="compact",
        epochs=EPOCHS,
        batch_size=64,
        device=device,
        seed=0,
        checkpoint_every=0.5,
    )
    run = fit(
        cells,
        RunConfig(settings),
        folder=folder,
        resume=resume,
        progress=lambda report: notes.append(report.note) if report.note else None,
    )
    loss = run.history["loss"][run.history["stage"] == 1]
    found = {
        "steps": run.info["steps"],
        "planned": run.info["plan"]["steps"],
        "finite": bool(np.isfinite(run.embedding).all()) and bool(np.isfinite(loss).all()),
        "complete": run.complete,
        "losses": [float(loss.iloc[0]), float(loss.iloc[-1])],
        "device": run.info["device"],
        "notes": notes,
    }
    print(json.dumps(found))


def killed_and_resumed(optimiser: str, device: str, then: str) -> dict[str, Any]:
    """Kill a training after its first checkpoint and go on; say what came of it."""
    from napari_patchmap.runs.checkpoint import read_state, state_file

    began = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        command = [sys.executable, __file__, "--one", str(folder), "--optimisers", optimiser]
        first = subprocess.Popen(
            [*command, "--device", device],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        while first.poll() is None and not state_file(folder).is_file():
            time.sleep(0.01)
        if first.poll() is not None:
            return {
                "error": last_line(first.communicate()[1]) or "it ended before a checkpoint"
            }
        first.send_signal(signal.SIGKILL)
        first.wait()
        inside = read_state(state_file(folder), tensors=False)["inside"]
        before = inside["pace"]["done"] if inside else 0
        second = subprocess.run(
            [*command, "--device", then, "--resume"], capture_output=True, text=True
        )
        seconds = time.monotonic() - began
        if second.returncode:
            return {"before": before, "seconds": seconds, "error": last_line(second.stderr)}
        found = json.loads(second.stdout.splitlines()[-1])
    good = found["finite"] and found["complete"] and found["steps"] == found["planned"]
    return {
        "before": before,
        "after": found["steps"][0] - before,
        "seconds": seconds,
        "error": None if good else f"ended with {found['steps']} of {found['planned']} steps",
        **found,
    }


def last_line(text: str) -> str:
    """Last line of what a process complained of."""
    return (text.strip().splitlines() or [""])[-1]


def main() -> int:
    """Print the table; 1 if an optimiser did not go on."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--then", help="device of the resumed run; the same if left out")
    parser.add_argument("--optimisers", nargs="+", choices=OPTIMISERS, default=OPTIMISERS)
    parser.add_argument("--at-once", type=int, help="optimisers that are tried at once")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--resume", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one is not None:
        train(args.one, args.optimisers[0], args.device, args.resume)
        return 0
    began = time.monotonic()
    at_once = args.at_once or max(1, min(len(args.optimisers), (os.cpu_count() or 1) // 2))
    print(
        "| optimiser | resumed | steps before | after | loss first | last | seconds | device |"
    )
    print("|---" * 8 + "|", flush=True)
    bad, notes = 0, set()
    with ThreadPoolExecutor(at_once) as pool:
        then = args.then or args.device
        results = pool.map(
            lambda name: killed_and_resumed(name, args.device, then), args.optimisers
        )
        for name, found in zip(args.optimisers, results, strict=True):
            bad += found.get("error") is not None
            notes |= set(found.get("notes", ()))
            first, last = found.get("losses", (float("nan"), float("nan")))
            print(
                f"| {name} | {found['error'] or 'yes'} | {found.get('before', '')} | "
                f"{found.get('after', '')} | {first:.3f} | {last:.3f} | "
                f"{found.get('seconds', float('nan')):.1f} | {found.get('device', '')} |",
                flush=True,
            )
    for note in sorted(notes):
        print(f"\n{note}")
    print(f"\n{time.monotonic() - began:.0f} s in all, {at_once} at once")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
