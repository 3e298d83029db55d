"""Commands that make maps, and what maps are made of: how they can be told what to do."""

from __future__ import annotations

from napari_patchmap.cli.options import (
    Commands,
    add_all_figures,
    add_data,
    add_images,
    add_label,
    add_run,
    add_setting,
    add_tile_settings,
    checked,
)

#: Time that the demonstration trains when nothing is said, in minutes.
DEMO_MINUTES = 2.0

#: Augmentations when nothing is said.
AUGMENT = "rotations"

#: Published tables whose rows ``patchmap benchmark`` can make.
PAPER_TABLES = ("nwabufo-2", "nwabufo-3", "nwabufo-4")


def add_making(commands: Commands) -> None:
    """Add all commands that make maps, and the one that cuts slides."""
    for add in (_demo, _embed, _transform, _open, _tsne, _even, _tile, _benchmark):
        add(commands)


def _demo(commands: Commands) -> None:
    """Add the demonstration."""
    from napari_patchmap.methods.train_config import TrainConfig

    settings = {item.name: item for item in TrainConfig.settings()}
    demo = commands.add_parser(
        "demo", help="train a map of the bundled blood cells and open napari on it"
    )
    demo.add_argument(
        "--out", metavar="RUN", help="folder of the run (default: among your runs)"
    )
    demo.add_argument(
        "--minutes", type=checked(settings["minutes"]), default=DEMO_MINUTES,
        help=f"time for everything, in minutes (default {DEMO_MINUTES:g})",
    )  # fmt: skip
    add_setting(demo, settings["device"])
    add_setting(demo, settings["seed"])
    demo.add_argument("--no-window", action="store_true", help="do not open napari at the end")


def _embed(commands: Commands) -> None:
    """Add the training."""
    from napari_patchmap.augment.augment_config import JITTERS, PRESETS, SWITCHES
    from napari_patchmap.methods.train_config import TrainConfig

    embed = commands.add_parser("embed", help="train a map of your own images")
    add_data(embed)
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
    for item in TrainConfig.settings():
        add_setting(embed, item)
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


def _transform(commands: Commands) -> None:
    """Add the placing of new images."""
    from napari_patchmap.methods.method import NEW_SETTINGS
    from napari_patchmap.methods.train_config import TrainConfig

    transform = commands.add_parser("transform", help="place new images on an existing map")
    add_run(transform)
    add_data(transform)
    transform.add_argument("--out", required=True, metavar="CSV", help="table to write")
    for item in TrainConfig.settings():
        if item.name in NEW_SETTINGS:
            add_setting(transform, item)


def _open(commands: Commands) -> None:
    """Add the window on a run."""
    reopen = commands.add_parser("open", help="show a saved run in napari")
    add_run(reopen)
    add_label(reopen)
    add_images(reopen)


def _tsne(commands: Commands) -> None:
    """Add another layout of the same features."""
    from napari_patchmap.methods.train_config import TSNE_SETTINGS, TrainConfig

    settings = {item.name: item for item in TrainConfig.settings()}
    tsne = commands.add_parser(
        "tsne", help="make another map of what a run has learned, by t-SNE"
    )
    add_run(tsne)
    tsne.add_argument("--out", required=True, metavar="RUN", help="new folder for the map")
    for name in TSNE_SETTINGS:
        add_setting(tsne, settings[name])


def _even(commands: Commands) -> None:
    """Add evening out."""
    from napari_patchmap.quality.measured_columns import MEASURED
    from napari_patchmap.runs.evening import EveningConfig

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
        add_setting(even, item)
    add_images(even)


def _tile(commands: Commands) -> None:
    """Add the cutting of slides."""
    tile = commands.add_parser("tile", help="cut slides into tiles with tissue on them")
    tile.add_argument("slide", metavar="SLIDE", help="slide (.svs, .tif) or folder of slides")
    tile.add_argument("--out", required=True, metavar="FOLDER", help="new folder for the tiles")
    add_tile_settings(tile, prefix="")


def _benchmark(commands: Commands) -> None:
    """Add a grid of maps."""
    from napari_patchmap.augment.augment_config import PRESETS, SWITCHES
    from napari_patchmap.methods.catalog import METHODS
    from napari_patchmap.methods.train_config import TrainConfig

    settings = {item.name: item for item in TrainConfig.settings()}
    grid = commands.add_parser(
        "benchmark", help="train a grid of maps of labelled patches; one table, one figure"
    )
    add_data(grid)
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
    grid.add_argument("--seeds", nargs="+", type=checked(settings["seed"]), metavar="S")
    grid.add_argument(
        "--paper", choices=PAPER_TABLES, metavar="TABLE",
        help="in place of methods, augmentations and what is left out, all rows of a published "
        f"table, three seeds each, by the published schedule: {', '.join(PAPER_TABLES)}",
    )  # fmt: skip
    add_all_figures(grid)
    for item in settings.values():
        if item.name not in ("method", "seed"):
            add_setting(grid, item)
