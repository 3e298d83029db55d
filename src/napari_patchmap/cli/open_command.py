"""A saved run in napari, with its images where they are found."""

from __future__ import annotations

import argparse

from napari_patchmap.cli.common import load_run, open_window
from napari_patchmap.cli.terminal import Interrupt, ProgressLine, warn
from napari_patchmap.errors import PatchError


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.patches import LoadCancelled
    from napari_patchmap.runs import reopen_patches, without_images

    run = load_run(args.run)
    try:
        with ProgressLine() as line, Interrupt() as interrupt:
            patches = reopen_patches(
                run,
                where=args.images,
                progress=lambda done, total: line.count("reading images", done, total),
                should_stop=interrupt.is_set,
                tell=warn,
            )
    except LoadCancelled:
        raise
    except PatchError as error:
        warn(f"The map is there, but not its images: {error}")
        patches = without_images(run)
    return open_window(run, patches)
