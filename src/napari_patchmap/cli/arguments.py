"""What can be said on the command line, and what was said, as settings."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NoReturn

from napari_patchmap import __version__, formats
from napari_patchmap.errors import ConfigError
from napari_patchmap.kind import Kind

if TYPE_CHECKING:
    from napari_patchmap.patches import OpenRequest
    from napari_patchmap.patches.crop_config import CropConfig
    from napari_patchmap.patches.tile_config import TileConfig
    from napari_patchmap.settings import Config, Setting

#: Time that the demonstration trains when nothing is said, in minutes.
DEMO_MINUTES = 2.0


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


#: Augmentations when nothing is said.
AUGMENT = "rotations"

#: Published tables whose rows ``patchmap benchmark`` can make.
PAPER_TABLES = ("nwabufo-2", "nwabufo-3", "nwabufo-4")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser; it leaves the name of the command in ``command``."""
    from napari_patchmap.augment.augment_config import JITTERS, PRESETS, SWITCHES
    from napari_patchmap.methods.catalog import METHODS
    from napari_patchmap.methods.train_config import TSNE_SETTINGS, TrainConfig
    from napari_patchmap.quality.asked_checks import CHECK_OF
    from napari_patchmap.quality.measured_columns import MEASURED
    from napari_patchmap.runs.drawing.figure_kinds import FIGURE_KINDS
    from napari_patchmap.runs.evening import EveningConfig

    parser = _Parser(
        prog="patchmap",
        description="Turn thousands of images into a map that shows what is in them.",
    )
    parser.add_argument("--version", action="version", version=f"napari-patchmap {__version__}")
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", parser_class=_Parser
    )
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

    embed = commands.add_parser("embed", help="train a map of your own images")
    _add_data(embed)
    embed.add_argument("--out", required=True, metavar="RUN", help="new folder for the run")
    embed.add_argument(
        "--augment", choices=PRESETS,
        help="how patches are varied: natural (no turns), right-angles (tissue), rotations "
        "(cells in the middle of their patch; default), histology (tissue) or dino",
    )  # fmt: skip
    embed.add_argument(
        "--jitter", choices=JITTERS,
        help="strength of the colour changes; without it that of the augmentations",
    )  # fmt: skip
    embed.add_argument(
        "--without", nargs="+", choices=SWITCHES, metavar="CHANGE",
        help=f"leave some of these changes out: {', '.join(SWITCHES)}",
    )  # fmt: skip
    for item in settings.values():
        _add_setting(embed, item)
    embed.add_argument(
        "--leave-out", metavar="FILE",
        help="do not train on these patches, place them at the end: a table with a column "
        "index (as patchmap find --out writes it), or one number on each line",
    )  # fmt: skip
    embed.add_argument(
        "--resume", action="store_true",
        help="go on with the run in --out, which was interrupted or stopped, with the settings "
        "it was started with",
    )  # fmt: skip

    transform = commands.add_parser("transform", help="place new images on an existing map")
    transform.add_argument("run", metavar="RUN", help="folder of a saved run")
    _add_data(transform)
    transform.add_argument("--out", required=True, metavar="CSV", help="table to write")

    reopen = commands.add_parser("open", help="show a saved run in napari")
    reopen.add_argument("run", metavar="RUN", help="folder of a saved run")
    reopen.add_argument("--images", metavar="PATH", help="where the images are now, if moved")

    tsne = commands.add_parser(
        "tsne", help="make another map of what a run has learned, by t-SNE"
    )
    tsne.add_argument("run", metavar="RUN", help="folder of a saved run")
    tsne.add_argument("--out", required=True, metavar="RUN", help="new folder for the map")
    for name in TSNE_SETTINGS:
        _add_setting(tsne, settings[name])

    even = commands.add_parser(
        "even", help="make a map on which a batch effect (slide, patient, plate) is evened out"
    )
    even.add_argument("run", metavar="RUN", help="folder of a saved run; it stays as it is")
    even.add_argument(
        "--batch", required=True, metavar="COLUMN",
        help="technical column to even out: slide, patient, plate, day; "
        f"{', '.join(MEASURED)} are measured on the images and their files",
    )  # fmt: skip
    even.add_argument("--out", required=True, metavar="RUN", help="new folder for the map")
    for item in EveningConfig.settings():
        _add_setting(even, item)
    even.add_argument("--images", metavar="PATH", help="where the images are now, if moved")

    tile = commands.add_parser("tile", help="cut slides into tiles with tissue on them")
    tile.add_argument("slide", metavar="SLIDE", help="slide (.svs, .tif) or folder of slides")
    tile.add_argument("--out", required=True, metavar="FOLDER", help="new folder for the tiles")
    _add_tile_settings(tile, prefix="")

    grid = commands.add_parser(
        "benchmark", help="train a grid of maps of labelled patches; one table, one figure"
    )
    _add_data(grid)
    grid.add_argument("--out", required=True, metavar="FOLDER", help="folder of the runs")
    grid.add_argument(
        "--methods", nargs="+", default=["tsimcne"], choices=METHODS, metavar="METHOD",
        help=f"{', '.join(METHODS)}",
    )  # fmt: skip
    grid.add_argument(
        "--augments", nargs="+", default=[AUGMENT], choices=PRESETS, metavar="PRESET",
        help=f"augmentations: {', '.join(PRESETS)}",
    )  # fmt: skip
    grid.add_argument(
        "--ablate", nargs="+", default=["nothing"], choices=("nothing", *SWITCHES),
        metavar="CHANGE",
        help=f"runs without one of: nothing, {', '.join(SWITCHES)}",
    )  # fmt: skip
    grid.add_argument("--seeds", nargs="+", type=_checked(settings["seed"]), metavar="S")
    grid.add_argument(
        "--paper", choices=PAPER_TABLES, metavar="TABLE",
        help="in place of methods, augmentations and what is left out, all rows of a published "
        f"table, three seeds each, by the published schedule: {', '.join(PAPER_TABLES)}",
    )  # fmt: skip
    _add_all_figures(grid)
    for item in settings.values():
        if item.name not in ("method", "seed"):
            _add_setting(grid, item)

    cache = commands.add_parser(
        "cache", help="say what decoded patches take on this computer, or remove them"
    )
    cache.add_argument("--clear", action="store_true", help="remove all decoded patches")

    compare = commands.add_parser(
        "compare", help="set saved maps of the same patches beside each other"
    )
    compare.add_argument(
        "runs", metavar="RUN", nargs="+", help="folders of saved runs; a folder of them is all"
    )
    compare.add_argument(
        "--out", metavar="FOLDER", help="write comparison.csv and comparison.png here"
    )

    _add_all_figures(compare)

    figure = commands.add_parser("figure", help="draw a figure of a run, to print or to show")
    kinds = figure.add_subparsers(
        dest="kind", required=True, metavar="KIND", parser_class=_Parser
    )
    for name, kind in FIGURE_KINDS.items():
        drawn = kinds.add_parser(name, help=kind.help)
        drawn.add_argument("run", metavar="RUN", help="folder of a saved run")
        drawn.add_argument(
            "--out", required=True, metavar="FILE",
            help=f"file to write: {', '.join(kind.endings)}",
        )  # fmt: skip
        if kind.images:
            drawn.add_argument(
                "--images", metavar="PATH", help="where the images are now, if moved"
            )
        for item in kind.config.settings():
            _add_setting(drawn, item)

    export = commands.add_parser(
        "export", help="take patches elsewhere: a table, scanpy, QuPath, images"
    )
    export.add_argument("run", metavar="RUN", help="folder of a saved run")
    export.add_argument(
        "--out", required=True, metavar="FILE",
        help="table (.csv, .parquet), features and map for scanpy (.h5ad), boxes or outlines "
        "for QuPath (.geojson), stack (.tif, .npy), contact sheet (.png), or a new folder of "
        "images by class",
    )  # fmt: skip
    export.add_argument(
        "--only", nargs="+", metavar="CLASS", help="patches of these classes only"
    )
    export.add_argument(
        "--rows", metavar="FILE",
        help="these patches only: a table with a column index, or one number on each line",
    )  # fmt: skip
    export.add_argument(
        "--class-column", metavar="NAME",
        help="column that is the class (default: the annotation, or else the label)",
    )  # fmt: skip
    export.add_argument("--images", metavar="PATH", help="where the images are now, if moved")

    evaluate = commands.add_parser("evaluate", help="say how good a map is")
    evaluate.add_argument("run", metavar="RUN", help="folder of a saved run")
    evaluate.add_argument("--json", action="store_true", help="print JSON")
    evaluate.add_argument(
        "--batch", metavar="COLUMN",
        help="say whether the map shows this technical column (slide, patient, plate, day) "
        f"instead of biology; {', '.join(MEASURED)} are measured on the images and their files",
    )  # fmt: skip
    evaluate.add_argument(
        "--label-curve", type=int, nargs="?", const=20, metavar="DRAWS",
        help="say how many labels of each class are enough: classifiers of the features with "
        "more and more labels, drawn so many times (default 20; published: 100)",
    )  # fmt: skip
    evaluate.add_argument(
        "--stability", action="store_true",
        help="say whether the map would be the same again, without labels: each patch placed "
        "again alone, the features laid out anew, two views of a patch (takes minutes)",
    )  # fmt: skip
    evaluate.add_argument(
        "--curve-without", nargs="+", choices=("power", "pca"), default=(),
        help="leave the transformation to normal features, or that to principal components, "
        "out of --label-curve",
    )  # fmt: skip
    evaluate.add_argument(
        "--curve-stopped-early", action="store_true",
        help="train the linear layer of --label-curve as published: slowly, and until labels "
        "that it does not learn (30 %% of those of each class) are told no better",
    )  # fmt: skip
    evaluate.add_argument(
        "--predict", metavar="COLUMN",
        help="say how well a column (label, or any other; quantities as numbers) is predicted "
        "for patches that were held out: by neighbours on the map, by neighbours among the "
        "features, by linear models of the features",
    )  # fmt: skip
    evaluate.add_argument(
        "--keep-apart", metavar="COLUMN",
        help="for --predict: patches that share a value of this column (patient, slide) are "
        "never on both sides",
    )  # fmt: skip
    evaluate.add_argument(
        "--neighbours", type=int, default=15, metavar="K",
        help="for --predict: neighbours that vote (default 15)",
    )  # fmt: skip
    evaluate.add_argument(
        "--held-out", type=float, default=0.1, metavar="SHARE",
        help="for --predict: share that is held out (default 0.1)",
    )  # fmt: skip
    evaluate.add_argument(
        "--repeats", type=int, default=5, metavar="N",
        help="for --predict: how often, each time others (default 5)",
    )  # fmt: skip
    evaluate.add_argument(
        "--ask", action="extend", nargs="+", default=[], metavar="WHAT",
        choices=sorted(CHECK_OF),
        help=f"find these out as well, as one usually does: {', '.join(sorted(CHECK_OF))}",
    )  # fmt: skip
    evaluate.add_argument(
        "--baselines", dest="ask", action="append_const", const="baselines",
        help="say the same figures of a random map, of a map of the pixels (made from the "
        "images), and of the features",
    )  # fmt: skip
    evaluate.add_argument("--images", metavar="PATH", help="where the images are now, if moved")

    _add_searches(
        commands.add_parser("find", help="groups, duplicates, odd patches, label mistakes")
    )

    report = commands.add_parser(
        "report", help="a page or PDF with map, figures, settings and words for a paper"
    )
    report.add_argument("run", metavar="RUN", help="folder of a saved run")
    report.add_argument(
        "--out", required=True, metavar="FILE", help="file to write: .html or .pdf"
    )
    return parser


def _add_searches(parser: argparse.ArgumentParser) -> None:
    from napari_patchmap.find.searches import SEARCHES

    searches = parser.add_subparsers(
        dest="search", required=True, metavar="WHAT", parser_class=_Parser
    )
    for search in SEARCHES:
        one = searches.add_parser(
            search.key, help=search.question, description=search.help.replace("%", "%%")
        )
        one.add_argument("run", metavar="RUN", help="folder of a saved run")
        for item in search.config.settings():
            _add_setting(one, item)
        if search.across:
            one.add_argument(
                "--against", metavar="PATH",
                help="look across two sets: other images, or a run, that may share some",
            )  # fmt: skip
        one.add_argument("--out", metavar="CSV", help="write the list of what to look at here")
        one.add_argument("--images", metavar="PATH", help="where the images are now, if moved")


def _add_all_figures(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--all-figures", action="store_true",
        help="print every quality figure, not only the main ones; the CSV has them all",
    )  # fmt: skip


def _add_data(parser: argparse.ArgumentParser) -> None:
    from napari_patchmap.patches.fit import FITS

    parser.add_argument(
        "data", metavar="DATA",
        help="folder of images (sub-folders: labels), "
        f"stack ({', '.join(formats.endings(Kind.STACK))}) or slide",
    )  # fmt: skip
    parser.add_argument("--labels", metavar="CSV", help="table with a label for each image")
    parser.add_argument(
        "--label-column", metavar="NAME",
        help="column that is the label, of the table, of --pattern, or of the folders (folder, "
        "split); found when nothing is said",
    )  # fmt: skip
    parser.add_argument(
        "--sizes", choices=FITS, help="how images of different sizes are brought to one size"
    )
    parser.add_argument(
        "--axes", default="auto", metavar="AXES",
        help="axes of a stack, such as NYX, NYXC or NCYX (default: found out)",
    )  # fmt: skip
    parser.add_argument(
        "--pattern", metavar="TEMPLATE",
        help="labels and columns from the file names of a folder of images, such as "
        "'{label}_{patient}_{}.png', or a regular expression with named groups",
    )  # fmt: skip
    parser.add_argument(
        "--channels", metavar="NAMES",
        help="channels to keep, by name or number from 1, such as DAPI,CD3 (default: all)",
    )  # fmt: skip
    _add_tile_settings(parser, prefix="tile-")
    _add_crop_settings(parser)


def _add_crop_settings(parser: argparse.ArgumentParser) -> None:
    """Add the options by which objects are cut out."""
    from napari_patchmap.patches.crop_config import CropConfig

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
    from napari_patchmap.patches.tile_config import TileConfig

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
    if item.type is bool:
        name = "--" + item.name.replace("_", "-")
        parser.add_argument(
            name, dest=item.name, action="store_true", default=None, help=item.help
        )
        return
    single = item.type is not tuple
    parser.add_argument(
        "--" + item.name.replace("_", "-"),
        dest=item.name,
        type=str if item.choices else _checked(item, may_be_empty=item.optional and single),
        choices=item.choices or None,
        nargs="+" if item.type is tuple else None,
        metavar="E" if item.type is tuple else None,
        help=help.replace("%", "%%"),
    )


#: What an option is that was given with nothing: a setting that is taken back.
_EMPTY = object()


def _checked(item: Setting, *, may_be_empty: bool = False) -> Any:
    """Return a converter that complains in the setting's own words."""

    def convert(text: str) -> Any:
        if not text and may_be_empty:
            return _EMPTY
        try:
            return item.check((text,))[0] if item.type is tuple else item.check(text)
        except ConfigError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


# -- what was said -------------------------------------------------------------------


def given_settings(args: argparse.Namespace) -> dict[str, Any]:
    """Return the training settings that were named on the command line."""
    from napari_patchmap.methods.train_config import TrainConfig

    return given(args, TrainConfig)


def given(args: argparse.Namespace, config: type[Config], prefix: str = "") -> dict[str, Any]:
    """Return the settings of a room that were named, by their names."""
    given = {item.name: getattr(args, prefix + item.name, None) for item in config.settings()}
    return {
        name: None if value is _EMPTY else value
        for name, value in given.items()
        if value is not None
    }


def requested(args: argparse.Namespace) -> OpenRequest:
    """Return which patches are to be opened, and how."""
    from napari_patchmap.patches import OpenRequest

    return OpenRequest(
        args.data,
        sizes=args.sizes,
        labels=args.labels,
        label_column=args.label_column,
        axes=args.axes,
        pattern=args.pattern,
        channels=args.channels.split(",") if args.channels else None,
        tiles=chosen_tiles(args),
        objects=args.objects,
        crops=_chosen_crops(args),
    )


def chosen_tiles(args: argparse.Namespace) -> TileConfig | None:
    """Return how slides are to be cut, None when nothing was said of it."""
    from napari_patchmap.patches.tile_config import TileConfig

    chosen = given(args, TileConfig, "tile_")
    return TileConfig(**chosen) if chosen else None


def _chosen_crops(args: argparse.Namespace) -> CropConfig | None:
    """Return how objects are to be cut out, None without objects."""
    from napari_patchmap.patches.crop_config import CropConfig

    chosen = given(args, CropConfig, "crop_")
    if chosen and args.objects is None:
        raise ConfigError("Options of crops need a label image; name one with --objects.")
    return CropConfig(**chosen) if args.objects is not None else None
