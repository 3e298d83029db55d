"""Cutting slides into files."""

from __future__ import annotations

import argparse

from napari_patchmap.cli.arguments import chosen_tiles
from napari_patchmap.cli.terminal import counted, say, warn


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.cli.tiling import cut

    with counted("writing tiles", keeps=True) as watch:
        tiled = cut(args.slide, args.out, chosen_tiles(args), watch)
    for text in tiled.notes:
        say(text)
    if tiled.skipped:
        first = tiled.skipped[0]
        warn(f"{len(tiled.skipped):,} skipped, first {first.source}: {first.reason}")
    if tiled.stopped:
        say(f"Stopped; {tiled.written:,} of {tiled.planned:,} tiles are written.")
    say(f"Tiles:   {tiled.out}")
    say(f"Table:   {tiled.out / 'tiles.csv'}")
    return 0
