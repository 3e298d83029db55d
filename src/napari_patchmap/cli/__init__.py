"""The command line: the same engine as in napari, without a display; one file a command."""

from napari_patchmap.cli.main import main

__all__ = ["main"]
