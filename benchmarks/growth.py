"""How the cost of a map grows with the number and the size of its patches.

    python benchmarks/growth.py pbc28.npz [--counts 2000 8000 32000 128000]
        [--sizes 28 64 96 224] [--seconds 10] [--device auto] [--backbone NAME]
        [--pixels auto] [--folder FOLDER]

As many as PCam has, which are 9 GB on the disk of FOLDER while it runs:

    python benchmarks/growth.py pbc28.npz --counts 327680 --sizes 96 --pixels stream

The patches are real ones, enlarged and repeated with a little noise, in an .npy
file. For each row a process of its own opens it, trains stage 1 for a few seconds
and places and measures the map. All counts are taken at the smallest size, all
sizes with the smallest count. Memory is the peak of the process beyond what it
took before it opened the patches (on a GPU, the peak that torch took there too);
pixels are held there, or streamed from the file.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from blood_cells import machine

from napari_patchmap.patches import open_patches


def make(data: Path, path: Path, count: int, size: int) -> None:
    """Write so many patches of one size."""
    import torch

    patches = open_patches(data)
    out = np.lib.format.open_memmap(path, "w+", np.uint8, (count, size, size, 3))
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 3, 4096)  # one a pixel would take longer than all else
    for start in range(0, count, 512):
        rows = np.arange(start, min(start + 512, count))
        pixels = patches.pixels(rows % len(patches), patches.training_size())
        large = torch.nn.functional.interpolate(
            torch.from_numpy(np.ascontiguousarray(pixels)).float(),
            (size, size),
            mode="bilinear",
        )
        noisy = large.permute(0, 2, 3, 1).numpy()
        noisy += noise[rng.integers(0, len(noise), (len(rows), 1, size, 3))]
        out[start : start + 512] = np.clip(noisy, 0, 255)


def peak() -> float:
    """Most memory that this process ever took, in GB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(x for x in lines if x.startswith("VmHWM")).split()[1]) / 1e6


def measure(path: Path, seconds: float, settings: dict[str, Any]) -> dict[str, Any]:
    """Open, train for some seconds, place and measure; in this process."""
    import torch

    from napari_patchmap.runs import RunConfig, TrainConfig
    from napari_patchmap.training import fit

    bare = peak()
    began = time.perf_counter()
    patches = open_patches(path)
    opened = time.perf_counter() - began
    marks: list[tuple[float, float]] = []
    ended = [0.0]

    def note(report) -> None:
        if report.stage == 1 and report.epoch > 0 and not ended[0]:
            marks.append((time.perf_counter(), report.epoch))

    def stop() -> bool:
        # The first report is of steps in which memory was taken for the first time.
        over = len(marks) > 3 and marks[-1][0] - marks[1][0] > seconds
        if over and not ended[0]:
            ended[0] = time.perf_counter()
        return over

    train = TrainConfig(epochs=(1e4, 0, 0), longest_side=1024, **settings)
    run = fit(patches, RunConfig(train), progress=note, should_stop=stop)
    after = time.perf_counter() - ended[0]
    (start, first), (end, last) = marks[1], marks[-1]
    on_gpu = torch.cuda.max_memory_allocated() / 1e9 if torch.cuda.is_available() else 0.0
    return {
        "opened": opened,
        "epoch": (end - start) / (last - first),
        "after": after,
        "memory": peak() - bare,
        "gpu": on_gpu,
        "pixels": "streamed" if run.info["plan"]["streamed"] else "held",
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--counts", type=int, nargs="+", default=[2000, 8000, 32_000, 128_000])
    parser.add_argument("--sizes", type=int, nargs="+", default=[28, 64, 96, 224])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--backbone")
    parser.add_argument("--pixels", choices=["auto", "memory", "stream"], default="auto")
    parser.add_argument("--folder", type=Path, help="where the patches are written meanwhile")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        settings = {name: getattr(args, name) for name in ("device", "backbone", "pixels")}
        print(json.dumps(measure(args.data, args.seconds, settings)))
        return
    print(f"{machine()}; {args.backbone or 'usual network'}, device {args.device}\n")
    heads = "patches, px, seconds an epoch, views/s, opening s, placing and measuring s, "
    heads += "pixels GB, pixels are, memory GB, on the GPU GB"
    print("| " + heads.replace(", ", " | ") + " |\n" + "|---" * 10 + "|", flush=True)
    rows = [(count, args.sizes[0]) for count in args.counts]
    rows += [(args.counts[0], size) for size in args.sizes[1:]]
    for count, size in rows:
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            path = Path(folder) / "patches.npy"
            make(args.data, path, count, size)
            command = [sys.executable, __file__, str(path), "--one", "--device", args.device]
            command += ["--seconds", str(args.seconds), "--pixels", args.pixels]
            command += ["--backbone", args.backbone] if args.backbone else []
            found = json.loads(subprocess.check_output(command).splitlines()[-1])
        speed = 2 * count / found["epoch"]
        print(
            f"| {count:,} | {size} | {found['epoch']:.1f} | {speed:,.0f} | "
            f"{found['opened']:.2f} | {found['after']:.1f} | {count * size**2 * 3 / 1e9:.2f} | "
            f"{found['pixels']} | {found['memory']:.2f} | {found['gpu']:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
