"""Taking patches of a run elsewhere."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_patchmap.cli.common import rows_named
from napari_patchmap.cli.terminal import counted, say, warn
from napari_patchmap.few_names import and_more


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.runs.export import MapParts, export, export_format_of
    from napari_patchmap.runs.saved_table import set_label

    export_format_of(Path(args.out).expanduser())
    if args.label is not None:
        set_label(args.run, args.label)
    parts = MapParts.read(args.run)
    rows = None if args.rows is None else rows_named(args.rows, parts.numbers)
    with counted("exporting") as watch:
        exported = export(
            parts,
            args.out,
            rows=rows,
            only=args.only or (),
            class_column=args.class_column,
            images=args.images,
            watch=watch,
        )
    for note in exported.notes:
        warn(note)
    say(f"{exported.count:,} patches: {and_more(exported.paths, 1)}")
    return 0
