"""The command line as a whole: what can be said there, and what was said."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_patchmap import __version__
from napari_patchmap.cli.asking_arguments import add_asking
from napari_patchmap.cli.making_arguments import AUGMENT as AUGMENT
from napari_patchmap.cli.making_arguments import DEMO_MINUTES as DEMO_MINUTES
from napari_patchmap.cli.making_arguments import PAPER_TABLES as PAPER_TABLES
from napari_patchmap.cli.making_arguments import add_making
from napari_patchmap.cli.options import EMPTY, Parser
from napari_patchmap.errors import ConfigError

if TYPE_CHECKING:
    from napari_patchmap.patches import OpenRequest
    from napari_patchmap.patches.crop_config import CropConfig
    from napari_patchmap.patches.tile_config import TileConfig
    from napari_patchmap.settings import Config


def make_parser() -> Parser:
    """Return the parser; it leaves the name of the command in ``command``."""
    parser = Parser(
        prog="patchmap",
        description="Turn thousands of images into a map that shows what is in them.",
    )
    parser.add_argument("--version", action="version", version=f"napari-patchmap {__version__}")
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", parser_class=Parser
    )
    add_making(commands)
    add_asking(commands)
    return parser


# -- what was said, as settings and requests ---------------------------------------------


def given_settings(args: argparse.Namespace) -> dict[str, Any]:
    """Return the training settings that were named on the command line."""
    from napari_patchmap.methods.train_config import TrainConfig
    from napari_patchmap.patches.own_features.feature_files import check_features_file

    settings = given(args, TrainConfig)
    # Features of one's own are laid out by one method; naming them is enough.
    if settings.get("features"):
        settings["features"] = os.path.abspath(os.path.expanduser(settings["features"]))
        check_features_file(Path(settings["features"]))
        settings.setdefault("method", "features")
    return settings


def given(args: argparse.Namespace, config: type[Config], prefix: str = "") -> dict[str, Any]:
    """Return the settings of a room that were named, by their names."""
    given = {item.name: getattr(args, prefix + item.name, None) for item in config.settings()}
    return {
        name: None if value is EMPTY else value
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
        key=args.key,
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
        raise ConfigError("Options of crops need objects; name their file with --objects.")
    if args.objects is not None and chosen_tiles(args) is not None:
        raise ConfigError(
            "Patches are cut either as tiles or around objects; leave out --objects, or the "
            "options of tiles (the resolution of crops is --crop-mpp)."
        )
    return CropConfig(**chosen) if args.objects is not None else None
