"""The tables of a paper: which runs make them, and what was published, to set beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from napari_patchmap.cli.grid import NOTHING, Cell
from napari_patchmap.quality.columns import SPREAD, markdown, written
from napari_patchmap.quality.figures import FIGURES

#: Runs of each row in the paper.
_SEEDS = (0, 1, 2)

#: What all that is trained there shares; whoever gives other settings gets those.
SETTINGS: dict[str, Any] = {"preset": "paper", "backbone": "resnet18-small-kernel"}


@dataclass(frozen=True)
class Row:
    """A row of a table: its name, the runs that make it, what was published for each set."""

    name: str
    method: str
    augment: str = "rotations"
    without: str = NOTHING
    backbone: str = ""
    published: tuple[str, ...] = ()

    def cells(self, seeds: Sequence[int]) -> list[Cell]:
        """Return its runs; what is not trained gives the same map with each seed."""
        if self.method not in ("tsimcne", "simclr"):
            seeds = seeds[:1]
        return [
            Cell(self.method, self.augment, self.without, seed, self.backbone) for seed in seeds
        ]

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What its runs are called in the table of a grid."""
        (cell,) = self.cells(_SEEDS)[:1]
        return (cell.method, *cell.views, cell.backbone)


@dataclass(frozen=True)
class PaperTable:
    """A table of a paper.

    Parameters
    ----------
    title : str
        With its source.
    figure : tuple of str
        Keys of the quality figures that it shows.
    sets : tuple of str
        Sets of images there, a column each.
    rows : tuple of Row
    """

    title: str
    figures: tuple[str, ...]
    sets: tuple[str, ...]
    rows: tuple[Row, ...]

    def cells(self, seeds: Sequence[int] | None = None) -> list[Cell]:
        """Return all runs."""
        return [cell for row in self.rows for cell in row.cells(seeds or _SEEDS)]

    def lines(self, table: pd.DataFrame) -> list[str]:
        """Write what a grid came to, and what was published, as lines of Markdown.

        Parameters
        ----------
        table : DataFrame
            As :func:`~napari_patchmap.cli.grid.summarise` makes it; rows that are not there
            yet stay empty.
        """
        keys = ["method", "augment", "without", "backbone"]
        known = {tuple(one[key] for key in keys): n for n, one in table.iterrows()}
        where = [known.get(row.key) for row in self.rows]
        found = table.reindex([-1 if n is None else n for n in where])
        columns = {"": [row.name for row in self.rows]}
        for figure in FIGURES:
            if figure.key in self.figures:
                cells = written(
                    found[figure.key], figure.scale.exact, found[f"{figure.key}{SPREAD}"]
                )
                columns[f"here: {figure.column}{figure.scale.unit}"] = list(cells)
        columns["runs"] = ["" if n is None else str(table["runs"][n]) for n in where]
        for number, name in enumerate(self.sets):
            columns[name] = [row.published[number] for row in self.rows]
        return [self.title, "", *markdown(columns)]


def _rows(*published: str) -> tuple[Row, ...]:
    """Rows of Tables 2 and 3, each with what was published, separated by semicolons."""
    names = {"default": "natural", "+ 90° rotations": "right-angles", "+ any": "rotations"}
    views = names.items()
    made = [
        *(Row(f"t-SimCNE, {name}", "tsimcne", augment) for name, augment in views),
        *(Row(f"SimCLR and t-SNE, {name}", "simclr", augment) for name, augment in views),
        Row("t-SNE of pixels", "pixels"),
        Row("t-SNE of ResNet18", "pretrained", backbone="resnet18"),
        Row("t-SNE of ResNet152", "pretrained", backbone="resnet152"),
    ]
    return tuple(
        Row(
            row.name,
            row.method,
            row.augment,
            row.without,
            row.backbone,
            tuple(one.strip() for one in numbers.split(";")),
        )
        for row, numbers in zip(made, published, strict=True)
    )


_SOURCE = (
    "Nwabufo, Böhm, Berens and Kobak, Self-supervised visualisation of medical image datasets, "
    "2024"
)
_SETS = ("Leukemia", "BloodMNIST", "DermaMNIST", "PathMNIST", "PCam16")

#: By the name that the command line takes.
TABLES = {
    "nwabufo-2": PaperTable(
        f"Table 2 of {_SOURCE}: 15-NN accuracy in 2-D in percent, three runs (PCam16: one).",
        ("knn",),
        _SETS,
        _rows(
            "86.3 ± 0.7; 90.4 ± 0.3; 77.3 ± 0.6; 97.2 ± 0.2; 92.6",
            "94.4 ± 0.1; 93.0 ± 0.3; 77.5 ± 0.3; 98.0 ± 0.0; 93.1",
            "95.1 ± 0.2; 92.9 ± 0.1; 80.1 ± 0.7; 97.3 ± 0.0; 90.8",
            "95.0 ± 0.1; 94.0 ± 0.1; 81.9 ± 0.1; 98.1 ± 0.0; 96.3",
            "95.9 ± 0.1; 95.8 ± 0.1; 80.8 ± 0.6; 98.4 ± 0.0; 96.4",
            "95.6 ± 0.1; 95.4 ± 0.1; 82.2 ± 0.2; 97.9 ± 0.1; 94.9",
            "69.0; 73.2; 78.0; 56.9; 76.9",
            "82.0; 78.1; 81.9; 87.2; 86.7",
            "72.9; 72.9; 81.0; 88.8; 86.4",
        ),
    ),
    "nwabufo-3": PaperTable(
        f"Table 3 of {_SOURCE}: silhouette in 2-D, three runs (PCam16: one).",
        ("silhouette",),
        _SETS,
        _rows(
            "0.13 ± 0.00; 0.40 ± 0.00; 0.13 ± 0.01; 0.45 ± 0.02; 0.04",
            "0.33 ± 0.01; 0.44 ± 0.03; 0.11 ± 0.00; 0.48 ± 0.06; 0.05",
            "0.52 ± 0.02; 0.50 ± 0.01; 0.13 ± 0.06; 0.41 ± 0.03; 0.05",
            "0.21 ± 0.01; 0.37 ± 0.00; 0.14 ± 0.00; 0.23 ± 0.01; 0.16",
            "0.23 ± 0.01; 0.35 ± 0.02; 0.14 ± 0.01; 0.25 ± 0.01; 0.13",
            "0.21 ± 0.00; 0.37 ± 0.02; 0.16 ± 0.00; 0.26 ± 0.00; 0.06",
            "-0.09; 0.07; 0.08; -0.05; 0.02",
            "-0.11; 0.13; 0.14; 0.17; 0.04",
            "-0.15; 0.03; 0.14; 0.19; 0.05",
        ),
    ),
    "nwabufo-4": PaperTable(
        f"Table 4 of {_SOURCE}: t-SimCNE without single augmentations, 15-NN accuracy in 2-D "
        "in percent and silhouette, three runs.",
        ("knn", "silhouette"),
        ("Leukemia", "BloodMNIST", "PathMNIST"),
        tuple(
            Row(f"without {name}" if switch != NOTHING else "all", "tsimcne", without=switch,
                published=numbers)
            for name, switch, numbers in (
                ("", NOTHING, ("95.1 ± 0.2, 0.52 ± 0.02", "92.9 ± 0.1, 0.50 ± 0.01",
                               "97.3 ± 0.0, 0.41 ± 0.03")),
                ("crops", "crop", ("79.7 ± 0.6, 0.14 ± 0.00", "76.0 ± 1.1, 0.20 ± 0.01",
                                   "59.8 ± 1.1, -0.02 ± 0.03")),
                ("colour jitter", "jitter", ("82.0 ± 0.2, -0.01 ± 0.01",
                                             "90.0 ± 0.1, 0.45 ± 0.02",
                                             "94.3 ± 0.3, 0.24 ± 0.02")),
                ("grayscaling", "grey", ("95.6 ± 0.4, 0.52 ± 0.02", "92.1 ± 0.3, 0.44 ± 0.01",
                                         "98.5 ± 0.0, 0.39 ± 0.05")),
            )
        ),
    ),
}  # fmt: skip
