"""Maps of the same patches beside each other."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from napari_patchmap.cli.common import load_run
from napari_patchmap.cli.terminal import say, warn

if TYPE_CHECKING:
    from napari_patchmap.runs import SavedMap


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.runs import maps_in
    from napari_patchmap.runs.comparison import as_lines, compare, different_labels

    maps = maps_in(args.runs)
    if args.label is not None:
        maps = [_labelled(one, args.label) for one in maps]
    maps = [_measured(one) for one in maps]
    for text in as_lines(compare(maps, args.out), every=args.all_figures):
        say(text)
    if said := different_labels(maps):
        warn(said)
    if args.out:
        say(f"Table and figure: {os.path.abspath(os.path.expanduser(args.out))}")
    return 0


def _labelled(one: SavedMap, column: str) -> SavedMap:
    """Return a map with another column as its label."""
    from napari_patchmap.runs import read_map
    from napari_patchmap.runs.saved_table import set_label

    set_label(one.folder, column)
    return read_map(one.folder)


def _measured(one: SavedMap) -> SavedMap:
    """Return a map with the figures of its label, measured now if another was chosen since."""
    from dataclasses import replace

    from napari_patchmap.quality.label_changes import lacks_labels

    if not lacks_labels(one.metrics):
        return one
    run = load_run(str(one.folder))
    found = run.measured(run.labels, missing=True)
    if trouble := run.keep(found):
        warn(trouble)
    return replace(one, metrics=found.report)
