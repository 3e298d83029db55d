"""Figures of a run, to print or to show."""

from __future__ import annotations

import argparse

from napari_patchmap.cli.arguments import given
from napari_patchmap.cli.terminal import say


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.runs.drawing.figure_config import FigureConfig
    from napari_patchmap.runs.drawing.figure_kinds import make_figure

    config = FigureConfig(**given(args, FigureConfig))
    say(f"Figure: {make_figure(args.kind, args.run, args.out, config)}")
    return 0
