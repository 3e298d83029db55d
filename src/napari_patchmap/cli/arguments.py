"""The command line as a whole: what can be said there, and what was said."""

from __future__ import annotations

from napari_patchmap import __version__
from napari_patchmap.cli.asking_arguments import add_asking
from napari_patchmap.cli.making_arguments import AUGMENT as AUGMENT
from napari_patchmap.cli.making_arguments import DEMO_MINUTES as DEMO_MINUTES
from napari_patchmap.cli.making_arguments import PAPER_TABLES as PAPER_TABLES
from napari_patchmap.cli.making_arguments import add_making
from napari_patchmap.cli.options import Parser
from napari_patchmap.cli.said_settings import chosen_tiles as chosen_tiles
from napari_patchmap.cli.said_settings import given as given
from napari_patchmap.cli.said_settings import given_settings as given_settings
from napari_patchmap.cli.said_settings import requested as requested


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
