"""A map on which what differs between batches is evened out."""

from __future__ import annotations

import argparse

from napari_patchmap.cli.arguments import given
from napari_patchmap.cli.common import batches_named, load_run, open_images, saved
from napari_patchmap.cli.terminal import Interrupt, ProgressLine, say, warn


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command."""
    from napari_patchmap.quality.before_after import before_after_lines, evening_warning
    from napari_patchmap.runs import alone_in, check_free
    from napari_patchmap.runs.evening import EveningConfig
    from napari_patchmap.training.even_out import even_out

    config = EveningConfig(**given(args, EveningConfig))
    with alone_in(args.out):
        out, run = check_free(args.out), load_run(args.run)
        batches = batches_named(run, args.batch, lambda: open_images(run, args.images))
        if warning := evening_warning(batches, run.labels, args.batch):
            warn(warning)
        with ProgressLine() as line, Interrupt() as interrupt:
            run = even_out(
                run,
                batches,
                args.batch,
                config,
                progress=line.show_layout,
                should_stop=interrupt.is_set,
            )
        out = saved(run, out)
    assert run.evened is not None
    for text in (*run.evened.lines(), *before_after_lines(run.metrics["evened"])):
        say(text)
    say(f"Run folder: {out}")
    return 0
