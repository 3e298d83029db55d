"""What several commands do: opening patches and runs, training, saving, showing."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari_patchmap.cli.arguments import requested
from napari_patchmap.cli.terminal import (
    Interrupt,
    ProgressLine,
    counted,
    is_main_process,
    say,
    warn,
)
from napari_patchmap.errors import RunError

if TYPE_CHECKING:
    import numpy as np

    from napari_patchmap.patches import PatchSet
    from napari_patchmap.runs import Run, RunConfig
    from napari_patchmap.training.plan import Plan

#: Seconds between two looks at a map that is trained; more where they are costly.
_LOOK_SECONDS = 2.0


def open_data(args: argparse.Namespace, columns: Sequence[str] = ()) -> PatchSet:
    """Open the patches that a command is about, and say what they are.

    Without all of these columns none is opened.
    """
    from napari_patchmap.patches import describe, open_patches

    with counted("reading images") as watch:
        patches = open_patches(
            requested(args),
            watch=watch,
            columns=columns,
        )
    for text in describe(patches):
        say(text)
    if patches.skipped:
        first = patches.skipped[0]
        warn(f"{len(patches.skipped):,} image(s) skipped, first {first.source}: {first.reason}")
    return patches


def load_run(folder: str, label: str | None = None) -> Run:
    """Open a saved run, with another column as its label if one is named.

    Says what is not as it was saved.
    """
    from napari_patchmap.runs import Run

    run = Run.load(folder)
    for note in run.notes:
        warn(note)
    if label is not None and (trouble := run.use_label(label)):
        warn(trouble)
    return run


def open_images(run: Run, where: str | None) -> PatchSet:
    """Open the images of a saved run, and say what of them is not as it was."""
    from napari_patchmap.runs import reopen_patches

    with counted("reading images") as watch:
        return reopen_patches(run, where=where, watch=watch, tell=warn)


def batches_named(run: Run, column: str, patches: Callable[[], PatchSet]) -> np.ndarray:
    """Return the batch of each patch by a column; its patches are opened only if it must be."""
    from napari_patchmap.quality.batch_check import batches_of
    from napari_patchmap.quality.measured_columns import MEASURED, check_measurable

    if column not in MEASURED or column in run.table:
        return batches_of(run.table, column)
    check_measurable(column, run.origin, run.name)
    return batches_of(run.table, column, patches())


def train(
    patches: PatchSet, config: RunConfig, out: Path, began: float, *, resume: bool = False
) -> Run:
    """Train, save, and say what came of it."""
    from napari_patchmap.quality import report_lines
    from napari_patchmap.runs import UNREADABLE
    from napari_patchmap.training import fit

    def announce(plan: Plan) -> None:
        for text in plan.lines():
            say(text)

    with ProgressLine() as line, Interrupt() as interrupt:
        run = fit(
            patches,
            config,
            folder=out,
            resume=resume,
            progress=line.show,
            should_stop=interrupt.is_set,
            planned=announce,
            # For a film of it; in one process, others wait for that anyway.
            snapshot_seconds=_LOOK_SECONDS if is_main_process() else None,
            spent=time.monotonic() - began,
        )
    if not is_main_process():  # of those that torchrun started
        return run
    out = saved(run, out)
    if not run.complete:
        say("Stopped; the map as it was learned so far is kept. Go on with --resume.")
    for text in report_lines(run.metrics):
        say(text)
    say(f"Run folder: {out}")
    if (out / "map.png").exists():
        say(f"Picture:    {out / 'map.png'}")
    if patches.skipped:
        count = len(patches.skipped)
        warn(f"{count:,} image(s) that were skipped are listed in {out / UNREADABLE}")
    return run


def saved(run: Run, out: Path) -> Path:
    """Save a run, elsewhere if it must be; return where it lies."""
    from napari_patchmap.runs import is_unfinished, new_run_folder
    from napari_patchmap.training import save_run

    try:
        save_run(run, out)
    except RunError as error:
        try:
            out = save_run(run, new_run_folder(run.name))
        except RunError:
            way = "Its checkpoint is kept: make room, then go on with --resume."
            raise RunError(f"{error} {way}" if is_unfinished(out) else str(error)) from None
        warn(f"{error} It is saved in {out} instead.")
    for note in run.missed:
        warn(note)
    return out


def rows_named(file: str, numbers: np.ndarray) -> np.ndarray:
    """Read which patches are meant: a table with a column index, or one number a line."""
    import numpy as np
    import pandas as pd

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
        raise RunError(f"{path} names the patch {wanted[rows < 0][0]}, which is not there.")
    return rows


def open_window(run: Run, patches: PatchSet) -> int:
    """Show the run in napari if there is a display; say how to if there is none."""
    from napari_patchmap.cli.terminal import why_no_window

    reason = why_no_window()
    if reason:
        say(reason)
        return 0
    from napari_patchmap.plugin.entry.launch import show_run

    show_run(run, patches)
    return 0
