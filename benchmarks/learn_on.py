"""Is it worth while that a network that came trained learns further from one's own cells?

    for one in lite0 lite1 lite2; do
        python benchmarks/imagenet_weights.py networks/$one --network $one; done
    python benchmarks/learn_on.py rows.jsonl --data pbc28.npz pbc64 --minutes 10
        --networks networks/lite0 networks/lite1 networks/lite2
    python benchmarks/learn_on.py rows.jsonl --print

Each row is a map by the preset quick (whitened, cosine distances, a last exaggeration of 2): of
features of each network as it came, learned further in each way (SimCLR), from random weights,
of each two networks side by side, and of the compact network from random weights. All that
learn have equal minutes. A row is written into the file when it is there; the same command
goes on with those that are missing, so stop it whenever you like. ``--print`` prints the table
of the file. Labels are used for the figures alone.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from blood_cells import machine

from napari_patchmap.augment import AugmentConfig
from napari_patchmap.patches import PatchSet, open_patches
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.training import fit

#: How a network learns on, by what the table calls it.
FURTHER = {
    "its head": "head",
    "adapters (LoRA)": "adapters",
    "last blocks": "blocks",
    "all of it": "all",
    "as far as it helps": "auto",
}

CAME, SCRATCH, COMPACT = "as it came", "from random weights", "compact"


class Row(NamedTuple):
    """What is measured: which network learns how from which cells, and what else counts."""

    data: str
    network: str
    way: str
    minutes: float
    cells: int
    side: int
    seed: int


def main() -> None:
    """Measure the rows that are missing, and print the table."""
    args = _arguments()
    done = _read(args.rows)
    for data in [] if args.print else args.data:
        patches = open_patches(data)
        if args.cells is not None and args.cells < len(patches):
            order = np.random.default_rng(0).permutation(len(patches))
            patches = patches.picked(np.sort(order[: args.cells]))
        for row, settings in _rows(args, data, len(patches)):
            if row in done:
                continue
            print(f"{row.data}: {row.network}, {row.way}", flush=True)
            done[row] = _measured(patches, row, settings)
            with args.rows.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"row": row._asdict(), "found": done[row]}) + "\n")
    _print(done)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", type=Path, help="file of the rows that are there")
    parser.add_argument("--data", type=Path, nargs="+", default=[])
    parser.add_argument("--networks", type=Path, nargs="+", default=[], help="their folders")
    parser.add_argument("--ways", nargs="+", choices=[CAME, *FURTHER, SCRATCH])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--cells", type=int, help="so many, drawn at random; all if not said")
    parser.add_argument("--input-side", type=int, default=64, help="at which cells are seen")
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--print", action="store_true", help="the table, and measure nothing")
    args = parser.parse_args()
    if not args.print and not (args.data and args.networks):
        parser.error("give --data and --networks, or --print for the rows that are there.")
    return args


def _rows(args: argparse.Namespace, data: Path, cells: int) -> Iterator[tuple[Row, Any]]:
    """Name the rows of a set, each with its settings."""
    laid_out = {"seed": args.seed, "device": args.device}
    trains = laid_out | {
        "method": "simclr", "minutes": args.minutes, "batch_size": args.batch_size,
    }  # fmt: skip
    seen = {"input_side": args.input_side}

    def row(network: str, way: str, settings: dict[str, Any]) -> tuple[Row, dict[str, Any]]:
        minutes = args.minutes if settings["method"] == "simclr" else 0.0
        known = Row(data.name, network, way, minutes, cells, args.input_side, args.seed)
        return known, settings

    for folder in args.networks:
        there = {"backbone": str(folder.absolute())} | seen
        architecture = json.loads((folder / "config.json").read_text("utf-8"))["architecture"]
        ways = {CAME: laid_out | there | {"method": "pretrained"}}
        ways |= {way: trains | there | {"learn_on": how} for way, how in FURTHER.items()}
        ways |= {SCRATCH: trains | {"backbone": architecture}}
        for way, settings in ways.items():
            if args.ways is None or way in args.ways:
                yield row(folder.name, way, settings)
    if args.ways is None or CAME in args.ways:
        for two in combinations(args.networks, 2):
            names = "+".join(str(one.absolute()) for one in two)
            beside = laid_out | seen | {"method": "pretrained", "backbone": names}
            yield row(" + ".join(one.name for one in two), CAME, beside)
    if args.ways is None or SCRATCH in args.ways:
        yield row(COMPACT, SCRATCH, trains)


def _measured(patches: PatchSet, row: Row, settings: dict[str, Any]) -> dict[str, Any]:
    """Make the map of a row, and measure it."""
    height, width = patches.common_size
    if row.way == SCRATCH and row.network != COMPACT and max(height, width) < row.side:
        # The others are shown cells at this side, too.
        scale = row.side / max(height, width)
        size = round(height * scale), round(width * scale)
        images = patches.pixels(range(len(patches)), size)  # channels first
        patches = replace(patches, images=np.ascontiguousarray(images.transpose(0, 2, 3, 1)))
    began = time.monotonic()
    run = fit(patches, RunConfig(TrainConfig(**settings), AugmentConfig.preset("rotations")))
    return _figures(run) | {
        "minutes": (time.monotonic() - began) / 60,
        "machine": machine(),
        "device": run.info["device"],
        "when": time.strftime("%Y-%m-%d"),
    }


def _figures(run: Run) -> dict[str, Any]:
    found = run.metrics

    def number(key: str, name: str) -> float | None:
        return (
            None if found[key] is None else found[key][name]
        )  # of too few cells there is none

    return {
        "features": number("knn_of_features", "accuracy"),
        "map": number("knn", "accuracy"),
        "silhouette": number("silhouette", "mean"),
        "epochs": found["training"]["epochs"],
        "steps": run.info.get("learned_on", []),
    }


def _read(path: Path) -> dict[Row, dict[str, Any]]:
    """Read the rows that are there; one that was cut off counts as missing."""
    done = {}
    for line in path.read_text("utf-8").splitlines() if path.exists() else []:
        try:
            one = json.loads(line)
        except ValueError:
            continue
        done[Row(**one["row"])] = one["found"]
    return done


def _print(done: dict[Row, dict[str, Any]]) -> None:
    """Print the table, and below it what each step was worth."""
    for about in dict.fromkeys((one["machine"], one["device"]) for one in done.values()):
        print("; ".join(about))
    print(
        "\n| cells | network | learned | minutes | 15-NN of features | 15-NN on the map | "
        "silhouette | epochs |\n|---|---|---|---|---|---|---|---|"
    )
    for row, one in done.items():
        silhouette = "" if one["silhouette"] is None else f"{one['silhouette']:.2f}"
        epochs = " + ".join(f"{count:.2g}" for count in one["epochs"]) or "none"
        print(
            f"| {row.data} ({row.cells:,}) | {row.network} | {row.way} | "
            f"{one['minutes']:.1f} | {_share(one['features'])} | {_share(one['map'])} | "
            f"{silhouette} | {epochs} |"
        )
    print("\nPlace of the second view of a cell held out, before and after each step:\n")
    for row, one in done.items():
        said = [
            f"{step['stage']} {'left out' if step.get('left_out') else _worth(step)}"
            for step in one["steps"]
        ]
        if said:
            print(f"- {row.data}, {row.network}, {row.way}: {'; '.join(said)}.")


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def _worth(step: dict[str, Any]) -> str:
    kept = "kept" if step["kept"] else "undone"
    return f"{step['before']:.1f} -> {step['after']:.1f} of {step['among']:,} ({kept})"


if __name__ == "__main__":
    main()
