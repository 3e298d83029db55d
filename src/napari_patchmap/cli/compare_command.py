"""Maps of the same patches beside each other."""

from __future__ import annotations

import argparse
import os

from napari_patchmap.cli.terminal import say


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.runs import maps_in
    from napari_patchmap.runs.comparison import as_lines, compare

    maps = maps_in(args.runs)
    for text in as_lines(compare(maps, args.out), every=args.all_figures):
        say(text)
    if args.out:
        say(f"Table and figure: {os.path.abspath(os.path.expanduser(args.out))}")
    return 0
