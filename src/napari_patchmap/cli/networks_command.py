"""The networks that others trained, by kind of picture."""

from __future__ import annotations

import argparse

from napari_patchmap.cli.terminal import say


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.networks.device import choose_device
    from napari_patchmap.networks.trained.cost import costs_of
    from napari_patchmap.networks.trained.known_networks import KINDS, suggested
    from napari_patchmap.networks.trained.suggestion_lines import HEADING, rows_of

    kinds = (args.kind,) if args.kind else KINDS
    device = choose_device(args.device or "auto")
    networks = [one for kind in kinds for one in suggested(kind)]
    networks = list(dict.fromkeys(networks))
    costs = {} if args.no_times else costs_of(networks, (args.side, args.side), device)
    for kind in kinds:
        say(f"For {kind}:")
        table = [HEADING, *rows_of(suggested(kind), costs)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        for row in table:
            cells = zip(row, widths, strict=True)
            say("  " + "  ".join(cell.ljust(width) for cell, width in cells).rstrip())
        say("")
    if costs:
        say(
            f"Times are estimates for colour patches of {args.side} x {args.side} px "
            f"({device.reason}): networks were tried with random weights, or it was worked out "
            "from how much more they compute than one that was tried."
        )
    say("Use one with: patchmap embed DATA --out RUN --method pretrained --backbone NAME")
    say("Sizes and licences are those published by November 2026; read a licence first.")
    return 0
