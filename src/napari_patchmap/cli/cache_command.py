"""The cache of decoded patches."""

from __future__ import annotations

import argparse

from napari_patchmap.cli.terminal import say


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.patches.cache.cache_folder import cache_folder, cache_size, clear_cache

    if args.clear:
        say(f"{clear_cache() / 1e6:,.1f} MB of decoded patches removed.")
    used, sets = cache_size()
    say(f"{used / 1e6:,.1f} MB in {sets:,} patch set{'s'[: sets != 1]}: {cache_folder()}")
    return 0
