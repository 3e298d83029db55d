"""The one entry: which command it is, and how its errors are told."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from importlib import import_module

from napari_patchmap.cli.arguments import make_parser
from napari_patchmap.cli.terminal import warn
from napari_patchmap.errors import PatchmapError


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return 0, or 2 after one clear line on standard error (130: Ctrl+C)."""
    began = time.monotonic()
    try:
        args = make_parser().parse_args(argv)
        # Each command is a module, so that only what it needs is imported.
        module = import_module(f"napari_patchmap.cli.{args.command}_command")
        code: int = module.command(args, began)
        return code
    except PatchmapError as error:
        warn(str(error))
        return 2
    except KeyboardInterrupt:
        print("patchmap: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has gone, which is fine
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
