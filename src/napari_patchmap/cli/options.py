"""What several commands can be told: data, a run, settings; and the parser for it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from napari_patchmap import formats
from napari_patchmap.errors import ConfigError
from napari_patchmap.kind import Kind

if TYPE_CHECKING:
    from napari_patchmap.settings import Setting


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """End the program."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


#: What commands are added to.
Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add the run that a command is about."""
    parser.add_argument("run", metavar="RUN", help="folder of a saved run")


def add_images(parser: argparse.ArgumentParser) -> None:
    """Add where the images of the run lie."""
    parser.add_argument("--images", metavar="PATH", help="where the images are now, if moved")


def add_label(parser: argparse.ArgumentParser) -> None:
    """Add which column is the label of a run that is there."""
    parser.add_argument(
        "--label", metavar="COLUMN",
        help="make this column the label, and keep that with the run: any column of its table, "
        "an annotation as it is now, several columns of 0 and 1 with commas between them, or "
        "how it stands in the names of the files, such as '{label}_{}.png'; figures of labels "
        "are measured anew",
    )  # fmt: skip


def add_all_figures(parser: argparse.ArgumentParser) -> None:
    """Add the choice of every quality figure."""
    parser.add_argument(
        "--all-figures", action="store_true",
        help="print every quality figure, not only the main ones; the CSV has them all",
    )  # fmt: skip


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add which patches are opened, and how."""
    from napari_patchmap.patches.fit import FITS

    parser.add_argument(
        "data", metavar="DATA",
        help="folder of images (sub-folders: labels), "
        f"stack ({', '.join(formats.endings(Kind.STACK))}), slide, or file of features without "
        "images (AnnData as .h5ad or .zarr, .csv, .parquet)",
    )  # fmt: skip
    parser.add_argument("--labels", metavar="CSV", help="table with a label for each image")
    parser.add_argument(
        "--label", "--label-column", dest="label_column", metavar="COLUMN",
        help="column that is the label, of the table, of --pattern, or of the folders (folder, "
        "split); several columns of 0 and 1 with commas between them; or how it stands in the "
        "names of the files, such as '{label}_{}.png'; found when nothing is said",
    )  # fmt: skip
    parser.add_argument(
        "--sizes", choices=FITS, help="how images of different sizes are brought to one size"
    )
    parser.add_argument(
        "--axes", default="auto", metavar="AXES",
        help="axes of a stack, such as NYX, NYXC or NCYX (default: found out)",
    )  # fmt: skip
    parser.add_argument(
        "--key", metavar="NAME",
        help="the array that holds the images, in a file of several (.npz, HDF5, Zarr); of a "
        "microscope's file, one scene, position or series instead of all",
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
    add_tile_settings(parser, prefix="tile-")
    _add_crop_settings(parser)


def _add_crop_settings(parser: argparse.ArgumentParser) -> None:
    """Add the options by which objects are cut out."""
    from napari_patchmap.patches.crop_config import CropConfig

    group = parser.add_argument_group("objects", "crops around objects")
    group.add_argument(
        "--objects", metavar="LABELS",
        help="label image of DATA, Cellpose's _seg.npy, QuPath's GeoJSON or ImageJ's ROI zip; "
        "of a whole slide also a label image of a lower level, points in GeoJSON, or a table "
        "of centres (CSV, Parquet; QuPath's measurements); for a folder of images or slides, "
        "the folder with these",
    )  # fmt: skip
    for item in CropConfig.settings():
        name, help = item.name.replace("_", "-"), item.help.replace("%", "%%")
        rest: dict[str, Any] = {"dest": f"crop_{item.name}", "help": help}
        if item.type is bool:
            group.add_argument(f"--{name}", action="store_true", default=None, **rest)
        elif item.choices:
            group.add_argument(f"--crop-{name}", choices=item.choices, **rest)
        else:
            unit = item.unit.upper() if item.unit.isascii() else item.name.upper()
            group.add_argument(
                f"--crop-{name}", type=checked(item), metavar=unit or "N", **rest
            )


def add_tile_settings(parser: argparse.ArgumentParser, prefix: str) -> None:
    """Add the options by which slides are cut; ``prefix`` keeps them apart from others."""
    from napari_patchmap.patches.tile_config import TileConfig

    group = parser.add_argument_group("slides", "how slides are cut into tiles")
    for item in TileConfig.settings():
        ours = prefix if item.name in ("size", "stride", "seed") else ""
        help = item.help + ("" if item.default is None else f" (default {item.default})")
        group.add_argument(
            f"--{ours}{item.name.replace('_', '-')}",
            dest=f"tile_{item.name}",
            type=checked(item) if not item.choices else str,
            choices=item.choices or None,
            metavar=None if item.choices else item.name.rpartition("_")[2].upper(),
            help=help.replace("%", "%%"),
        )


def add_setting(parser: argparse.ArgumentParser, item: Setting) -> None:
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
        type=str if item.choices else checked(item, may_be_empty=item.optional and single),
        choices=item.choices or None,
        nargs="+" if item.type is tuple else None,
        metavar="E" if item.type is tuple else None,
        help=help.replace("%", "%%"),
    )


#: What an option is that was given with nothing: a setting that is taken back.
EMPTY = object()


def checked(item: Setting, *, may_be_empty: bool = False) -> Any:
    """Return a converter that complains in the setting's own words."""

    def convert(text: str) -> Any:
        if not text and may_be_empty:
            return EMPTY
        try:
            return item.check((text,))[0] if item.type is tuple else item.check(text)
        except ConfigError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert
