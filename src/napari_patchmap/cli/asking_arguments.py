"""Commands that ask something of maps that are there: how they can be told what to do."""

from __future__ import annotations

from napari_patchmap.cli.options import (
    Commands,
    Parser,
    add_all_figures,
    add_images,
    add_label,
    add_run,
    add_setting,
)


def add_asking(commands: Commands) -> None:
    """Add all commands that look at maps, draw them, and take them elsewhere."""
    for add in (_cache, _networks, _compare, _figure, _export, _evaluate, _find, _report):
        add(commands)


def _cache(commands: Commands) -> None:
    """Add the care of decoded patches."""
    cache = commands.add_parser(
        "cache", help="say what decoded patches take on this computer, or remove them"
    )
    cache.add_argument("--clear", action="store_true", help="remove all decoded patches")


def _networks(commands: Commands) -> None:
    """Add the list of networks that others trained."""
    from napari_patchmap.methods.train_config import TrainConfig
    from napari_patchmap.networks.trained.known_networks import KINDS

    networks = commands.add_parser(
        "networks",
        help="networks that others trained, by kind of picture: size, licence, time here",
    )
    networks.add_argument(
        "--for", dest="kind", choices=KINDS, help="for these pictures only (default: all kinds)"
    )
    networks.add_argument(
        "--side", type=int, default=64, metavar="PX",
        help="side of your patches in pixels, for the times (default 64)",
    )  # fmt: skip
    networks.add_argument(
        "--no-times", action="store_true", help="do not try how long they take"
    )
    (device,) = (item for item in TrainConfig.settings() if item.name == "device")
    add_setting(networks, device)


def _compare(commands: Commands) -> None:
    """Add maps beside each other."""
    compare = commands.add_parser(
        "compare", help="set saved maps of the same patches beside each other"
    )
    compare.add_argument(
        "runs", metavar="RUN", nargs="+", help="folders of saved runs; a folder of them is all"
    )
    compare.add_argument(
        "--out", metavar="FOLDER", help="write comparison.csv and comparison.png here"
    )

    add_all_figures(compare)
    add_label(compare)


def _figure(commands: Commands) -> None:
    """Add the figures to print."""
    from napari_patchmap.runs.drawing.figure_kinds import FIGURE_KINDS

    figure = commands.add_parser("figure", help="draw a figure of a run, to print or to show")
    kinds = figure.add_subparsers(
        dest="kind", required=True, metavar="KIND", parser_class=Parser
    )
    for name, kind in FIGURE_KINDS.items():
        drawn = kinds.add_parser(name, help=kind.help)
        add_run(drawn)
        add_label(drawn)
        drawn.add_argument(
            "--out", required=True, metavar="FILE",
            help=f"file to write: {', '.join(kind.endings)}",
        )  # fmt: skip
        if kind.images:
            add_images(drawn)
        for item in kind.config.settings():
            add_setting(drawn, item)


def _export(commands: Commands) -> None:
    """Add the way elsewhere."""
    export = commands.add_parser(
        "export", help="take patches elsewhere: a table, scanpy, QuPath, images"
    )
    add_run(export)
    add_label(export)
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
    add_images(export)


def _evaluate(commands: Commands) -> None:
    """Add the quality of a map."""
    from napari_patchmap.quality.asked_checks import CHECK_OF
    from napari_patchmap.quality.measured_columns import MEASURED

    evaluate = commands.add_parser("evaluate", help="say how good a map is")
    add_run(evaluate)
    add_label(evaluate)
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
    add_images(evaluate)


def _find(commands: Commands) -> None:
    """Add a command for each search."""
    from napari_patchmap.find.searches import SEARCHES

    found = commands.add_parser("find", help="groups, duplicates, odd patches, label mistakes")
    searches = found.add_subparsers(
        dest="search", required=True, metavar="WHAT", parser_class=Parser
    )
    for search in SEARCHES:
        one = searches.add_parser(
            search.key, help=search.question, description=search.help.replace("%", "%%")
        )
        add_run(one)
        add_label(one)
        for item in search.config.settings():
            add_setting(one, item)
        if search.across:
            one.add_argument(
                "--against", metavar="PATH",
                help="look across two sets: other images, or a run, that may share some",
            )  # fmt: skip
        one.add_argument("--out", metavar="CSV", help="write the list of what to look at here")
        add_images(one)


def _report(commands: Commands) -> None:
    """Add the report."""
    report = commands.add_parser(
        "report", help="a page or PDF with map, figures, settings and words for a paper"
    )
    add_run(report)
    add_label(report)
    report.add_argument(
        "--out", required=True, metavar="FILE", help="file to write: .html or .pdf"
    )
