"""A saved run in napari, with its images where they are found."""

from __future__ import annotations

import argparse

from napari_patchmap.cli.common import load_run, open_images, open_window
from napari_patchmap.cli.terminal import warn
from napari_patchmap.errors import PatchError


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.patches import LoadCancelled
    from napari_patchmap.runs import without_images

    run = load_run(args.run, args.label)
    try:
        patches = open_images(run, args.images)
    except LoadCancelled:
        raise
    except PatchError as error:
        warn(f"The map is there, but not its images: {error}")
        patches = without_images(run)
    return open_window(run, patches)
