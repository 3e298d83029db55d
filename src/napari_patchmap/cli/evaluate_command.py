"""How good a map is."""

from __future__ import annotations

import argparse
import json

from napari_patchmap.cli.common import load_run
from napari_patchmap.cli.map_checks import asked_checks
from napari_patchmap.cli.terminal import say, warn
from napari_patchmap.errors import QualityError


def command(args: argparse.Namespace, began: float) -> int:
    """Run the command; 2 if something that was asked for cannot be said of this map."""
    from napari_patchmap.quality import report_lines

    run = load_run(args.run, args.label)
    checks = asked_checks(run, args)  # refused before the work
    found = run.measured(run.labels)
    lines, refused = report_lines(found.report), []
    for check in checks:
        try:
            lines += check(found)
        except QualityError as error:  # the others, and what was measured, are worth more
            refused.append(str(error))
    if trouble := run.keep(found):
        warn(trouble)
    say(json.dumps(found.report, indent=2) if args.json else "\n".join(lines))
    for sentence in refused:
        warn(sentence)
    return 2 if refused else 0
