"""What is in the data: one search, its answer, and the list of what to look at."""

from __future__ import annotations

import argparse

from napari_patchmap.cli.arguments import given
from napari_patchmap.cli.common import load_run, open_images
from napari_patchmap.cli.terminal import counted, say, warn
from napari_patchmap.errors import PatchError


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.find.search import found_column
    from napari_patchmap.find.searches import SEARCH_OF
    from napari_patchmap.runs.finding import (
        annotated_table,
        check_second_set,
        find_in,
        second_set,
    )
    from napari_patchmap.runs.found_files import write_list
    from napari_patchmap.runs.writable import check_file

    search = SEARCH_OF[args.search]
    config = search.config(**given(args, search.config))
    path = None if args.out is None else check_file(args.out)
    other = getattr(args, "against", None)
    if other is not None:
        check_second_set(other)
    run = load_run(args.run, args.label)
    try:
        patches = open_images(run, args.images)
    except PatchError as error:
        if search.needs_images or args.images is not None:
            raise
        patches = None
        warn(f"{error} What needs the images is left out.")
    against = None
    if other is not None:
        with counted("reading the others") as watch:
            against = second_set(run, other, watch)
    with counted(search.title.lower(), keeps=True) as watch:
        found = find_in(run, search, config, annotated_table(run), patches, watch, against)
    run.found[search.key] = found
    if trouble := run.keep_found():
        warn(trouble)
    for text in found.lines:
        say(text)
    if path is not None:
        write_list(path, found, run.table)
        say(f"List: {path} ({len(found.listed):,} rows)")
    say(f"Columns: {', '.join(map(found_column, found.columns))}")
    return 0
