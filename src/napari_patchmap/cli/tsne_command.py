"""Another map of what a run has learned."""

from __future__ import annotations

import argparse

from napari_patchmap.cli.arguments import given_settings
from napari_patchmap.cli.common import load_run, saved
from napari_patchmap.cli.terminal import Interrupt, ProgressLine, say


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.quality import report_lines
    from napari_patchmap.runs import alone_in, check_free
    from napari_patchmap.training.relayout import lay_out_again

    with alone_in(args.out):
        out, run = check_free(args.out), load_run(args.run)
        with ProgressLine() as line, Interrupt() as interrupt:
            run = lay_out_again(
                run,
                progress=line.show_layout,
                should_stop=interrupt.is_set,
                **given_settings(args),
            )
        out = saved(run, out)
    for text in report_lines(run.metrics):
        say(text)
    say(f"Run folder: {out}")
    return 0
