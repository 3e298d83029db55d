"""Placing new images on a map."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from napari_patchmap.cli.arguments import requested
from napari_patchmap.cli.common import load_run, open_data
from napari_patchmap.cli.terminal import counted, say, warn
from napari_patchmap.errors import RunError

if TYPE_CHECKING:
    from napari_patchmap.patches import PatchSet
    from napari_patchmap.runs import Placed, Run


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.runs import UNREADABLE, alone_in, save_embedding_csv, save_skipped

    _check_own_file(args)
    with alone_in(args.out):
        run = load_run(args.run)
        patches = _opened(args, run)
        placed = _placed(run, patches)
        table = patches.table.assign(unlikeness=placed.unlikeness)
        path = save_embedding_csv(args.out, placed.embedding, table)
        for note in placed.notes:
            warn(note)
        say(f"{len(patches):,} patches placed on the map {run.name}: {path}")
        if patches.skipped:
            beside = save_skipped(path.with_suffix(f".{UNREADABLE}"), patches.skipped)
            warn(f"{len(patches.skipped):,} image(s) that were skipped are listed in {beside}")
    return 0


def _opened(args: argparse.Namespace, run: Run) -> PatchSet:
    """Open the patches, with the features of people's own that were given for them."""
    from napari_patchmap.runs.given_for_new import check_given, with_given

    check_given(run, args.features, requested(args))
    patches = open_data(args)
    if not args.features:
        return patches
    patches = with_given(run, patches, args.features, args.feature_columns)
    assert patches.own is not None
    for note in patches.own.notes:
        say(note)
    return patches


def _check_own_file(args: argparse.Namespace) -> None:
    """Check that a table can be written where it is wanted, over nothing that is needed."""
    from napari_patchmap.runs import UNREADABLE
    from napari_patchmap.runs.writable import check_file
    from napari_patchmap.writing import check_not_foreign

    out = Path(args.out).expanduser().resolve()
    for given in (args.data, args.labels, args.features):
        if given and out == Path(given).expanduser().resolve():
            raise RunError(f"{out} is what is to be read; choose another file for --out.")
    if out.parent == Path(args.run).expanduser().resolve() and out.exists():
        raise RunError(f"{out} belongs to the run; choose another file for --out.")
    if not out.exists() or out.is_file() or out.is_dir():  # no pipe, no terminal
        check_file(out)
        beside = out.with_suffix(f".{UNREADABLE}")
        check_not_foreign(beside, ["source", "reason"], RunError)


def _placed(run: Run, patches: PatchSet) -> Placed:
    from napari_patchmap.patches import LoadCancelled

    try:
        with counted("placing patches") as watch:
            return run.place(patches, watch)
    except LoadCancelled:
        raise RunError("Placing was stopped; nothing was written.") from None
