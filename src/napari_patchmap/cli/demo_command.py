"""The demonstration on the cells that come with the package."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_patchmap.cli.arguments import given_settings
from napari_patchmap.cli.common import open_window, train


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.patches.sample import bundled_cells
    from napari_patchmap.runs import (
        RunConfig,
        TrainConfig,
        alone_in,
        check_free,
        new_run_folder,
    )

    out = Path(args.out) if args.out else new_run_folder("demo-blood-cells")
    settings = TrainConfig(**given_settings(args))
    with alone_in(out):
        out, patches = check_free(out), bundled_cells()
        run = train(patches, RunConfig(train=settings), out, began)
    if args.no_window:
        return 0
    return open_window(run, patches)
