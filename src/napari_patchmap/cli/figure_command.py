"""Figures of a run, to print or to show."""

from __future__ import annotations

import argparse

from napari_patchmap.cli.arguments import given
from napari_patchmap.cli.terminal import counted, say


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.runs.drawing.figure_kinds import FIGURE_KINDS, make_figure
    from napari_patchmap.runs.saved_table import set_label

    kind = FIGURE_KINDS[args.kind].config
    config = kind(**given(args, kind))
    if args.label is not None:
        set_label(args.run, args.label)
    with counted("working") as watch:
        images = getattr(args, "images", None)
        path = make_figure(args.kind, args.run, args.out, config, images=images, watch=watch)
    say(f"Figure: {path}")
    return 0
