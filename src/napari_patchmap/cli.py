"""The command line: the same engine as in napari, without a display."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from napari_patchmap.arguments import (
    AUGMENT,
    chosen_tiles,
    given_settings,
    make_parser,
    requested,
)
from napari_patchmap.errors import PatchmapError, RunError
from napari_patchmap.terminal import Interrupt, ProgressLine, is_main_process, say, warn

if TYPE_CHECKING:
    from napari_patchmap.augment import AugmentConfig
    from napari_patchmap.patches import PatchSet
    from napari_patchmap.runs import Placed, Run, RunConfig
    from napari_patchmap.training.plan import Plan


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return 0, or 2 after one clear line on standard error (130: Ctrl+C)."""
    began = time.monotonic()
    try:
        args = make_parser().parse_args(argv)
        return _COMMANDS[args.command](args, began)
    except PatchmapError as error:
        warn(str(error))
        return 2
    except KeyboardInterrupt:
        print("patchmap: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has gone, which is fine
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


# -- commands -------------------------------------------------------------------


def _demo(args: argparse.Namespace, began: float) -> int:
    from napari_patchmap.patches.sample import bundled_cells
    from napari_patchmap.runs import (
        RunConfig,
        TrainConfig,
        alone_in,
        check_free,
        new_run_folder,
    )

    out = Path(args.out) if args.out else new_run_folder("demo-blood-cells")
    chosen = {"device": args.device, "seed": args.seed}
    given = {name: value for name, value in chosen.items() if value is not None}
    train = TrainConfig(minutes=args.minutes, **given)
    with alone_in(out):
        out, patches = check_free(out), bundled_cells()
        run = _train(patches, RunConfig(train=train), out, began)
    if args.no_window:
        return 0
    return _open_window(run, patches)


def _embed(args: argparse.Namespace, began: float) -> int:
    from napari_patchmap.runs import alone_in, check_free

    # Before the patches are read: who comes second is told at once. Of those that
    # torchrun started, one holds the folder for all.
    with alone_in(args.out) if is_main_process() else nullcontext():
        if args.resume:
            out, config = _resumed_config(args)
        else:
            out, config = check_free(args.out), _chosen_config(args)
        _train(_open(args), config, out, began, resume=args.resume)
    return 0


def _chosen_config(args: argparse.Namespace) -> RunConfig:
    """Return the settings that were given; defaults for the others."""
    from napari_patchmap.augment import AugmentConfig
    from napari_patchmap.runs import RunConfig, TrainConfig

    augment = _changed(AugmentConfig.preset(args.augment or AUGMENT), args)
    return RunConfig(TrainConfig(**given_settings(args)), augment)


def _changed(augment: AugmentConfig, args: argparse.Namespace) -> AugmentConfig:
    """Return augmentations with what was said of parts of them."""
    augment = augment.jittered(args.jitter) if args.jitter else augment
    return augment.without(*(args.without or ()))


def _resumed_config(args: argparse.Namespace) -> tuple[Path, RunConfig]:
    """Return the folder of an unfinished run and its settings, with those given now."""
    from dataclasses import replace

    from napari_patchmap.augment import AugmentConfig
    from napari_patchmap.runs import check_same_settings, read_unfinished
    from napari_patchmap.runs.writable import check_folder

    unfinished = read_unfinished(args.out)
    saved = unfinished.config
    augment = AugmentConfig.preset(args.augment) if args.augment else saved.augment
    augment = _changed(augment, args)
    wanted = replace(saved, train=replace(saved.train, **given_settings(args)), augment=augment)
    check_same_settings(saved, wanted, unfinished.folder)
    return check_folder(unfinished.folder), wanted


def _transform(args: argparse.Namespace, began: float) -> int:
    from napari_patchmap.runs import (
        UNREADABLE,
        alone_in,
        save_embedding_csv,
        save_skipped,
    )

    _check_own_file(args)
    with alone_in(args.out):
        run = _load_run(args.run)
        patches = _open(args)
        placed = _placed(run, patches)
        table = patches.table.assign(unlikeness=placed.unlikeness)
        path = save_embedding_csv(args.out, placed.embedding, table)
        for note in placed.notes:
            warn(note)
        say(f"{len(patches):,} patches placed on the map {run.name}: {path}")
        if patches.skipped:
            beside = save_skipped(path.with_suffix(f".{UNREADABLE}"), patches.skipped)
            warn(f"{len(patches.skipped):,} image(s) left out are listed in {beside}")
    return 0


def _check_own_file(args: argparse.Namespace) -> None:
    """Check that a table can be written where it is wanted, over nothing that is needed."""
    from napari_patchmap.runs import UNREADABLE
    from napari_patchmap.runs.writable import check_file
    from napari_patchmap.writing import check_not_foreign

    out = Path(args.out).expanduser().resolve()
    for given in (args.data, args.labels):
        if given and out == Path(given).expanduser().resolve():
            raise RunError(f"{out} is what is to be read; choose another file for --out.")
    if out.parent == Path(args.run).expanduser().resolve() and out.exists():
        raise RunError(f"{out} belongs to the run; choose another file for --out.")
    if not out.exists() or out.is_file() or out.is_dir():  # no pipe, no terminal
        check_file(out)
        beside = out.with_suffix(f".{UNREADABLE}")
        check_not_foreign(beside, ["source", "reason"], RunError)


def _placed(run: Run, patches: PatchSet) -> Placed:
    with ProgressLine() as line, Interrupt() as interrupt:

        def watch(done: int, total: int) -> None:
            line.count("placing patches", done, total)
            if interrupt.is_set():
                raise RunError("Placing was stopped; nothing was written.")

        return run.place(patches, watch)


def _tsne(args: argparse.Namespace, began: float) -> int:
    from napari_patchmap.quality import report_lines
    from napari_patchmap.runs import alone_in, check_free
    from napari_patchmap.training.relayout import lay_out_again

    with alone_in(args.out):
        out, run = check_free(args.out), _load_run(args.run)
        with ProgressLine() as line, Interrupt() as interrupt:
            run = lay_out_again(
                run,
                progress=line.show_layout,
                should_stop=interrupt.is_set,
                **given_settings(args),
            )
        out = _saved(run, out)
    for text in report_lines(run.metrics):
        say(text)
    say(f"Run folder: {out}")
    return 0


def _benchmark(args: argparse.Namespace, began: float) -> int:
    from napari_patchmap.grid_command import as_lines, cells, check_out, run_grid
    from napari_patchmap.runs import alone_in
    from napari_patchmap.runs.writable import check_folder

    out = check_folder(args.out)
    grid = cells(args.methods, args.augments, args.ablate, args.seeds)
    with alone_in(out):
        check_out(out, grid)
        patches = _open(args)
        with ProgressLine() as line, Interrupt() as interrupt:
            table = run_grid(
                patches,
                out,
                grid,
                given_settings(args),
                progress=line.show,
                should_stop=interrupt.is_set,
                say=say,
            )
    for text in as_lines(table):
        say(text)
    if int(table["runs"].sum()) < len(grid):
        say("Stopped; the same command goes on from here.")
    say(f"Runs, table and maps: {out}")
    return 0


def _tile(args: argparse.Namespace, began: float) -> int:
    from napari_patchmap.tile_command import cut

    with ProgressLine() as line, Interrupt() as interrupt:
        tiled = cut(
            args.slide,
            args.out,
            chosen_tiles(args),
            progress=lambda done, total: line.count("writing tiles", done, total),
            should_stop=interrupt.is_set,
        )
    for text in tiled.notes:
        say(text)
    if tiled.skipped:
        first = tiled.skipped[0]
        warn(f"{len(tiled.skipped):,} left out, first {first.source}: {first.reason}")
    if tiled.stopped:
        say(f"Stopped; {tiled.written:,} of {tiled.planned:,} tiles are written.")
    say(f"Tiles:   {tiled.out}")
    say(f"Table:   {tiled.out / 'tiles.csv'}")
    return 0


def _compare(args: argparse.Namespace, began: float) -> int:
    from napari_patchmap.runs import maps_in
    from napari_patchmap.runs.comparison import as_lines, compare

    maps = maps_in(args.runs)
    for text in as_lines(compare(maps, args.out)):
        say(text)
    if args.out:
        say(f"Table and figure: {os.path.abspath(os.path.expanduser(args.out))}")
    return 0


def _evaluate(args: argparse.Namespace, began: float) -> int:
    from napari_patchmap.quality import evaluate, report_lines

    run = _load_run(args.run)
    report = evaluate(run.embedding, run.labels)
    if "training" in run.metrics:
        report["training"] = run.metrics["training"]
        report["notes"] = [*filter(None, [report["training"]["warning"]]), *report["notes"]]
    say(json.dumps(report, indent=2) if args.json else "\n".join(report_lines(report)))
    return 0


def _cache(args: argparse.Namespace, began: float) -> int:
    from napari_patchmap.patches.cache.folder import cache_folder, cache_size, clear_cache

    if args.clear:
        say(f"{clear_cache() / 1e6:,.1f} MB of decoded patches removed.")
    used, sets = cache_size()
    say(f"{used / 1e6:,.1f} MB in {sets:,} patch set{'s'[: sets != 1]}: {cache_folder()}")
    return 0


# -- parts of the commands ----------------------------------------------------------


def _open(args: argparse.Namespace) -> PatchSet:
    from napari_patchmap.patches import describe, open_patches

    with ProgressLine() as line, Interrupt() as interrupt:
        patches = open_patches(
            requested(args),
            progress=lambda done, total: line.count("reading images", done, total),
            should_stop=interrupt.is_set,
        )
    for text in describe(patches):
        say(text)
    if patches.skipped:
        first = patches.skipped[0]
        warn(
            f"{len(patches.skipped):,} image(s) left out, first {first.source}: {first.reason}"
        )
    return patches


def _load_run(folder: str) -> Run:
    """Open a saved run, and say what is not as it was saved."""
    from napari_patchmap.runs import Run

    run = Run.load(folder)
    for note in run.notes:
        warn(note)
    return run


def _train(
    patches: PatchSet, config: RunConfig, out: Path, began: float, *, resume: bool = False
) -> Run:
    from napari_patchmap.quality import report_lines
    from napari_patchmap.runs import UNREADABLE
    from napari_patchmap.training import fit

    def announce(plan: Plan) -> None:
        for text in plan.lines():
            say(text)

    with ProgressLine() as line, Interrupt() as interrupt:
        run = fit(
            patches,
            config,
            folder=out,
            resume=resume,
            progress=line.show,
            should_stop=interrupt.is_set,
            planned=announce,
            spent=time.monotonic() - began,
        )
    if not is_main_process():  # of those that torchrun started
        return run
    out = _saved(run, out)
    if not run.complete:
        say("Stopped; the map as it was learned so far is kept. Go on with --resume.")
    for text in report_lines(run.metrics):
        say(text)
    say(f"Run folder: {out}")
    if (out / "map.png").exists():
        say(f"Picture:    {out / 'map.png'}")
    if patches.skipped:
        warn(f"{len(patches.skipped):,} image(s) left out are listed in {out / UNREADABLE}")
    return run


def _saved(run: Run, out: Path) -> Path:
    """Save a run, elsewhere if it must be; return where it lies."""
    from napari_patchmap.runs import is_unfinished, new_run_folder

    try:
        run.save(out)
    except RunError as error:
        try:
            out = run.save(new_run_folder(run.name))
        except RunError:
            way = "Its checkpoint is kept: make room, then go on with --resume."
            raise RunError(f"{error} {way}" if is_unfinished(out) else str(error)) from None
        warn(f"{error} It is saved in {out} instead.")
    for note in run.missed:
        warn(note)
    return out


def _open_window(run: Run, patches: PatchSet) -> int:
    """Show the run in napari if there is a display; say how to if there is none."""
    from napari_patchmap.terminal import why_no_window

    reason = why_no_window()
    if reason:
        say(reason)
        return 0
    from napari_patchmap.plugin.entry.launch import show_run

    show_run(run, patches)
    return 0


_COMMANDS = {
    "demo": _demo,
    "embed": _embed,
    "transform": _transform,
    "tsne": _tsne,
    "tile": _tile,
    "compare": _compare,
    "evaluate": _evaluate,
    "benchmark": _benchmark,
    "cache": _cache,
}


if __name__ == "__main__":
    sys.exit(main())
