"""Taking patches of a run elsewhere."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap.cli.terminal import Interrupt, ProgressLine, say, warn
from napari_patchmap.errors import RunError


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.patches.watch import Watch
    from napari_patchmap.runs.export import MapParts, export, export_format_of

    export_format_of(Path(args.out).expanduser())
    parts = MapParts.read(args.run)
    rows = None if args.rows is None else _rows(args.rows, parts.numbers)
    with ProgressLine() as line, Interrupt() as interrupt:
        exported = export(
            parts,
            args.out,
            rows=rows,
            only=args.only or (),
            class_column=args.class_column,
            images=args.images,
            watch=Watch(
                lambda done, total: line.count("exporting", done, total), interrupt.is_set
            ),
        )
    for note in exported.notes:
        warn(note)
    more = len(exported.paths) - 1
    say(
        f"{exported.count:,} patches: {exported.paths[0]}"
        + (f" and {more:,} more" if more else "")
    )
    return 0


def _rows(file: str, numbers: np.ndarray) -> np.ndarray:
    """Read which patches are meant: a table with a column index, or one number a line."""
    path = Path(file).expanduser()
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, sep=None, engine="python")
        if "index" not in table:
            table = pd.DataFrame({"index": path.read_text("utf-8-sig").split()})
        wanted = pd.to_numeric(table["index"]).to_numpy(np.int64)
    except Exception:  # noqa: BLE001 - a file of anything may raise anything
        if not path.exists():
            raise RunError(f"There is no file {path}; check the path.") from None
        try:
            wanted = np.array(path.read_text("utf-8-sig").split(), np.int64)
        except (OSError, ValueError):
            raise RunError(
                f"{path} does not say which patches are meant; it needs a column index, or one "
                "number on each line."
            ) from None
    rows = pd.Index(numbers).get_indexer(wanted)
    if (rows < 0).any():
        raise RunError(f"{path} names the patch {wanted[rows < 0][0]}, which the run has not.")
    return rows
