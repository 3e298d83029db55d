"""The command line: the same engine as in napari, without a display."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from napari_patchmap import __version__
from napari_patchmap.errors import ConfigError, PatchmapError
from napari_patchmap.terminal import ProgressLine, say, warn

if TYPE_CHECKING:
    from napari_patchmap.config import Setting
    from napari_patchmap.patches import PatchSet
    from napari_patchmap.patches.objects.crop_config import CropConfig
    from napari_patchmap.patches.slides.tile_config import TileConfig
    from napari_patchmap.runs import Run, RunConfig

#: How patches are varied when nothing is said.
AUGMENT = "rotations"

#: Time that the demonstration trains when nothing is said, in minutes.
DEMO_MINUTES = 2.0


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return 0, or 2 after one clear line on standard error (130: Ctrl+C)."""
    began = time.monotonic()
    try:
        args = _parser().parse_args(argv)
        return int(args.command(args, began))
    except PatchmapError as error:
        print(f"patchmap: {error}", file=sys.stderr)
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
    from napari_patchmap.runs import RunConfig, TrainConfig, check_free, new_run_folder

    out = check_free(args.out) if args.out else new_run_folder("demo-blood-cells")
    chosen = {"device": args.device, "seed": args.seed}
    given = {name: value for name, value in chosen.items() if value is not None}
    train = TrainConfig(minutes=args.minutes, **given)
    patches = bundled_cells()
    run = _train(patches, RunConfig(train=train), out, began)
    if args.no_window:
        return 0
    return _open_window(run, patches)


def _embed(args: argparse.Namespace, began: float) -> int:
    from napari_patchmap.runs import check_free

    out = check_free(args.out, unfinished=args.resume)
    config = _resumed_config(args, out) if args.resume else _chosen_config(args)
    _train(_open(args), config, out, began, resume=args.resume)
    return 0


def _chosen_config(args: argparse.Namespace) -> RunConfig:
    """Return the settings that were given; defaults for the others."""
    from napari_patchmap.augment import AugmentConfig
    from napari_patchmap.runs import RunConfig, TrainConfig

    preset = args.augment or AUGMENT
    return RunConfig(TrainConfig(**_given(args)), AugmentConfig.preset(preset))


def _resumed_config(args: argparse.Namespace, out: Path) -> RunConfig:
    """Return the settings of an unfinished run, with those that were given now."""
    from dataclasses import replace

    from napari_patchmap.augment import AugmentConfig
    from napari_patchmap.runs import unfinished_config

    saved = unfinished_config(out)
    augment = AugmentConfig.preset(args.augment) if args.augment else saved.augment
    return replace(saved, train=replace(saved.train, **_given(args)), augment=augment)


def _given(args: argparse.Namespace) -> dict[str, Any]:
    """Return the training settings that were named on the command line."""
    from napari_patchmap.runs import TrainConfig

    names = [item.name for item in TrainConfig.settings()]
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}


def _transform(args: argparse.Namespace, began: float) -> int:
    from napari_patchmap.runs import UNREADABLE, Run, save_embedding_csv, save_skipped

    run = Run.load(args.run)
    patches = _open(args)
    path = save_embedding_csv(args.out, run.transform(patches), patches.table)
    say(f"{len(patches):,} patches placed on the map {run.name}: {path}")
    if patches.skipped:
        beside = save_skipped(path.with_suffix(f".{UNREADABLE}"), patches.skipped)
        warn(f"{len(patches.skipped):,} image(s) left out are listed in {beside}")
    return 0


def _tile(args: argparse.Namespace, began: float) -> int:
    from napari_patchmap.tile_command import cut

    with ProgressLine() as line, _Interrupt() as interrupt:
        tiled = cut(
            args.slide,
            args.out,
            _chosen_tiles(args),
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


def _evaluate(args: argparse.Namespace, began: float) -> int:
    from napari_patchmap.quality import evaluate, report_lines
    from napari_patchmap.runs import Run

    run = Run.load(args.run)
    report = evaluate(run.embedding, run.labels)
    say(json.dumps(report, indent=2) if args.json else "\n".join(report_lines(report)))
    return 0


def _cache(args: argparse.Namespace, began: float) -> int:
    from napari_patchmap.patches.cache.folder import cache_folder, cache_size, clear_cache

    if args.clear:
        say(f"{clear_cache() / 1e6:,.1f} MB of decoded patches removed.")
    used, sets = cache_size()
    say(f"{used / 1e6:,.1f} MB in {sets:,} patch set{'s'[: sets != 1]}: {cache_folder()}")
    return 0


def _chosen_tiles(args: argparse.Namespace) -> TileConfig | None:
    """Return how slides are to be cut, None when nothing was said of it."""
    from napari_patchmap.patches.slides.tile_config import TileConfig

    chosen = {
        item.name: getattr(args, f"tile_{item.name}")
        for item in TileConfig.settings()
        if getattr(args, f"tile_{item.name}") is not None
    }
    return TileConfig(**chosen) if chosen else None


def _chosen_crops(args: argparse.Namespace) -> CropConfig | None:
    """Return how objects are to be cut out, None without objects."""
    from napari_patchmap.patches.objects.crop_config import CropConfig

    chosen = {
        item.name: getattr(args, f"crop_{item.name}")
        for item in CropConfig.settings()
        if getattr(args, f"crop_{item.name}") is not None
    }
    if chosen and args.objects is None:
        raise ConfigError("Options of crops need a label image; name one with --objects.")
    return CropConfig(**chosen) if args.objects is not None else None


# -- parts of the commands ----------------------------------------------------------


def _open(args: argparse.Namespace) -> PatchSet:
    from napari_patchmap.patches import describe, open_patches

    with ProgressLine() as line, _Interrupt() as interrupt:
        patches = open_patches(
            args.data,
            sizes=args.sizes,
            labels=args.labels,
            axes=args.axes,
            pattern=args.pattern,
            channels=args.channels.split(",") if args.channels else None,
            tiles=_chosen_tiles(args),
            objects=args.objects,
            crops=_chosen_crops(args),
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


def _train(
    patches: PatchSet, config: RunConfig, out: Path, began: float, *, resume: bool = False
) -> Run:
    from napari_patchmap.quality import report_lines
    from napari_patchmap.runs import UNREADABLE
    from napari_patchmap.training import fit, make_plan

    for text in make_plan(patches, config).lines():
        say(text)
    with ProgressLine() as line, _Interrupt() as interrupt:
        run = fit(
            patches,
            config,
            folder=out,
            resume=resume,
            progress=line.show,
            should_stop=interrupt.is_set,
            spent=time.monotonic() - began,
        )
    run.save(out)
    if not run.complete:
        say("Stopped; the map as it was learned so far is kept. Go on with --resume.")
    for text in report_lines(run.metrics):
        say(text)
    say(f"Run folder: {out}")
    say(f"Picture:    {out / 'map.png'}")
    if patches.skipped:
        warn(f"{len(patches.skipped):,} image(s) left out are listed in {out / UNREADABLE}")
    return run


def _open_window(run: Run, patches: PatchSet) -> int:
    """Show the run in napari if there is a display; say how to if there is none."""
    from napari_patchmap.terminal import why_no_window

    reason = why_no_window()
    if reason:
        say(reason)
        return 0
    from napari_patchmap.plugin.launch import show_run

    show_run(run, patches)
    return 0


class _Interrupt:
    """Ctrl+C ends the loading, or the training and keeps the map; a second one the program."""

    def __enter__(self) -> threading.Event:
        event = threading.Event()

        def stop(*_: Any) -> None:
            if event.is_set():
                raise KeyboardInterrupt
            event.set()
            warn("stopping; press Ctrl+C again to leave at once")

        # Signals can be handled in the main thread alone.
        self._main = threading.current_thread() is threading.main_thread()
        if self._main:
            self._before = signal.signal(signal.SIGINT, stop)
        return event

    def __exit__(self, *_: object) -> None:
        if self._main:
            signal.signal(signal.SIGINT, self._before)


# -- arguments ---------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    from napari_patchmap.augment.config import PRESETS
    from napari_patchmap.runs.config import TrainConfig

    parser = _Parser(
        prog="patchmap",
        description="Turn thousands of images into a map that shows what is in them.",
    )
    parser.add_argument("--version", action="version", version=f"napari-patchmap {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    settings = {item.name: item for item in TrainConfig.settings()}

    demo = commands.add_parser(
        "demo", help="train a map of the bundled blood cells and open napari on it"
    )
    demo.add_argument(
        "--out", metavar="RUN", help="folder of the run (default: among your runs)"
    )
    demo.add_argument(
        "--minutes", type=_checked(settings["minutes"]), default=DEMO_MINUTES,
        help=f"time for everything, in minutes (default {DEMO_MINUTES:g})",
    )  # fmt: skip
    _add_setting(demo, settings["device"])
    _add_setting(demo, settings["seed"])
    demo.add_argument("--no-window", action="store_true", help="do not open napari at the end")
    demo.set_defaults(command=_demo)

    embed = commands.add_parser("embed", help="train a map of your own images")
    _add_data(embed)
    embed.add_argument("--out", required=True, metavar="RUN", help="new folder for the run")
    embed.add_argument(
        "--augment", choices=PRESETS,
        help="how patches are varied: natural (no turns), right-angles (tissue), rotations "
        "(cells in the middle of their patch; default)",
    )  # fmt: skip
    for item in settings.values():
        _add_setting(embed, item)
    embed.add_argument(
        "--resume", action="store_true",
        help="go on with the run in --out, which was interrupted or stopped, with the settings "
        "it was started with",
    )  # fmt: skip
    embed.set_defaults(command=_embed)

    transform = commands.add_parser("transform", help="place new images on an existing map")
    transform.add_argument("run", metavar="RUN", help="folder of a saved run")
    _add_data(transform)
    transform.add_argument("--out", required=True, metavar="CSV", help="table to write")
    transform.set_defaults(command=_transform)

    tile = commands.add_parser("tile", help="cut slides into tiles with tissue on them")
    tile.add_argument("slide", metavar="SLIDE", help="slide (.svs, .tif) or folder of slides")
    tile.add_argument("--out", required=True, metavar="FOLDER", help="new folder for the tiles")
    _add_tile_settings(tile, prefix="")
    tile.set_defaults(command=_tile)

    cache = commands.add_parser(
        "cache", help="say what decoded patches take on this computer, or remove them"
    )
    cache.add_argument("--clear", action="store_true", help="remove all decoded patches")
    cache.set_defaults(command=_cache)

    evaluate = commands.add_parser("evaluate", help="say how good a map is")
    evaluate.add_argument("run", metavar="RUN", help="folder of a saved run")
    evaluate.add_argument("--json", action="store_true", help="print JSON")
    evaluate.set_defaults(command=_evaluate)
    return parser


def _add_data(parser: argparse.ArgumentParser) -> None:
    from napari_patchmap.patches.fit import FITS

    parser.add_argument(
        "data", metavar="DATA",
        help="folder of images (sub-folders: labels), stack (.tif, .npy, .npz, .zarr) or slide",
    )  # fmt: skip
    parser.add_argument("--labels", metavar="CSV", help="table with a label for each image")
    parser.add_argument(
        "--sizes", choices=FITS, help="how images of different sizes are brought to one size"
    )
    parser.add_argument(
        "--axes", default="auto", metavar="AXES",
        help="axes of a stack, such as NYX, NYXC or NCYX (default: found out)",
    )  # fmt: skip
    parser.add_argument(
        "--pattern", metavar="TEMPLATE",
        help="labels and columns from file names, such as '{label}_{patient}_{}.png', or a "
        "regular expression with named groups",
    )  # fmt: skip
    parser.add_argument(
        "--channels", metavar="NAMES",
        help="channels to keep, by name or number from 1, such as DAPI,CD3 (default: all)",
    )  # fmt: skip
    _add_tile_settings(parser, prefix="tile-")
    _add_crop_settings(parser)


def _add_crop_settings(parser: argparse.ArgumentParser) -> None:
    """Add the options by which objects are cut out."""
    from napari_patchmap.patches.objects.crop_config import CropConfig

    group = parser.add_argument_group("objects", "crops around the objects of label images")
    group.add_argument(
        "--objects", metavar="LABELS",
        help="label image of DATA; for a folder of images, the folder with their labels",
    )  # fmt: skip
    for item in CropConfig.settings():
        name, help = item.name.replace("_", "-"), item.help.replace("%", "%%")
        rest: dict[str, Any] = {"dest": f"crop_{item.name}", "help": help}
        if item.type is bool:
            group.add_argument(f"--{name}", action="store_true", default=None, **rest)
        elif item.choices:
            group.add_argument(f"--crop-{name}", choices=item.choices, **rest)
        else:
            unit = item.unit.upper() or "N"
            group.add_argument(f"--crop-{name}", type=_checked(item), metavar=unit, **rest)


def _add_tile_settings(parser: argparse.ArgumentParser, prefix: str) -> None:
    """Add the options by which slides are cut; ``prefix`` keeps them apart from others."""
    from napari_patchmap.patches.slides.tile_config import TileConfig

    group = parser.add_argument_group("slides", "how slides are cut into tiles")
    for item in TileConfig.settings():
        ours = prefix if item.name in ("size", "stride", "seed") else ""
        help = item.help + ("" if item.default is None else f" (default {item.default})")
        group.add_argument(
            f"--{ours}{item.name.replace('_', '-')}",
            dest=f"tile_{item.name}",
            type=_checked(item) if not item.choices else str,
            choices=item.choices or None,
            metavar=None if item.choices else item.name.rpartition("_")[2].upper(),
            help=help.replace("%", "%%"),
        )


def _add_setting(parser: argparse.ArgumentParser, item: Setting) -> None:
    """Add an option for a setting; absent means that its default holds."""
    help = item.help + (f" [{item.unit}]" if item.unit else "")
    if item.default is not None:
        help += f" (default {item.default})"
    parser.add_argument(
        "--" + item.name.replace("_", "-"),
        dest=item.name,
        type=_checked(item) if not item.choices else str,
        choices=item.choices or None,
        nargs=3 if item.type is tuple else None,
        metavar=("E1", "E2", "E3") if item.type is tuple else None,
        help=help.replace("%", "%%"),
    )


def _checked(item: Setting) -> Any:
    """Return a converter that complains in the setting's own words."""

    def convert(text: str) -> Any:
        try:
            return item.check((text,))[0] if item.type is tuple else item.check(text)
        except ConfigError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


if __name__ == "__main__":
    sys.exit(main())
