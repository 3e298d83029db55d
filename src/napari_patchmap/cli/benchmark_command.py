"""A grid of trainings."""

from __future__ import annotations

import argparse

from napari_patchmap.cli.arguments import given_settings
from napari_patchmap.cli.common import open_data
from napari_patchmap.cli.terminal import Interrupt, ProgressLine, say


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.cli.grid import as_lines, cells, check_out, run_grid
    from napari_patchmap.cli.paper_tables import SETTINGS, TABLES
    from napari_patchmap.runs import alone_in
    from napari_patchmap.runs.writable import check_folder
    from napari_patchmap.training.trained_start import check_there
    from napari_patchmap.writing import write_whole

    out = check_folder(args.out)
    settings = given_settings(args)
    if args.paper is None:
        grid = cells(args.methods, args.augments, args.ablate, args.seeds or [0])
    else:
        grid, settings = TABLES[args.paper].cells(args.seeds), SETTINGS | settings
    with alone_in(out):
        check_out(out, grid)
        for cell in grid:  # before the images are read
            check_there(cell.config(settings).train)
        patches = open_data(args)
        with ProgressLine() as line, Interrupt() as interrupt:
            table = run_grid(
                patches,
                out,
                grid,
                settings,
                progress=line.show,
                should_stop=interrupt.is_set,
                say=say,
            )
    for text in as_lines(table, every=args.all_figures):
        say(text)
    if args.paper is not None:
        lines = TABLES[args.paper].lines(table)
        write_whole(out / f"{args.paper}.md", "\n".join(lines) + "\n")
        for text in ("", *lines):
            say(text)
    if int(table["runs"].sum()) < len(grid):
        say("Stopped; the same command goes on from here.")
    say(f"Runs, table and maps: {out}")
    return 0
