"""The tables of a paper: which runs make them, and what was published, to set beside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from napari_patchmap.cli.grid import NOTHING, Cell
from napari_patchmap.quality.columns import SPREAD, markdown, written
from napari_patchmap.quality.published import ABLATIONS, ACCURACIES, SILHOUETTES, Published

#: Runs of each row in the paper.
_SEEDS = (0, 1, 2)

#: What all that is trained there shares; whoever gives other settings gets those.
SETTINGS: dict[str, Any] = {"preset": "paper", "backbone": "resnet18-small-kernel"}


@dataclass(frozen=True)
class Row:
    """A row of a table: its name, and the runs that make it."""

    name: str
    method: str
    augment: str = "rotations"
    without: str = NOTHING
    backbone: str = ""

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
    """A table of a paper, and the runs of ours that make each of its rows.

    Parameters
    ----------
    published : Published
    rows : tuple of Row
        One for each row there.
    """

    published: Published
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
        names = ("method", "augment", "without", "backbone")
        keys = zip(*(table[name] for name in names), strict=True)
        known: dict[tuple[Any, ...], int] = {key: number for number, key in enumerate(keys)}
        where = [known.get(row.key) for row in self.rows]
        found = table.reset_index(drop=True).reindex([-1 if n is None else n for n in where])
        columns: dict[str, Iterable[Any]] = {"": [row.name for row in self.rows]}
        for figure in self.published.figures:
            spread = found[f"{figure.key}{SPREAD}"]
            heading = f"here: {figure.column}{figure.scale.unit}"
            columns[heading] = written(found[figure.key], figure.scale.exact, spread)
        columns["runs"] = ["" if n is None else table["runs"].iloc[n] for n in where]
        for number, name in enumerate(self.published.sets):
            columns[name] = self.published.column(number)
        return [self.published.title, "", *markdown(columns)]


_VIEWS = {"default": "natural", "+ 90° rotations": "right-angles", "+ any": "rotations"}

#: Of Tables 2 and 3, which are of the same runs.
_MAPS = (
    *(Row(f"t-SimCNE, {name}", "tsimcne", views) for name, views in _VIEWS.items()),
    *(Row(f"SimCLR and t-SNE, {name}", "simclr", views) for name, views in _VIEWS.items()),
    Row("t-SNE of pixels", "pixels"),
    Row("t-SNE of ResNet18", "pretrained", backbone="resnet18"),
    Row("t-SNE of ResNet152", "pretrained", backbone="resnet152"),
)
_WITHOUT = {"crops": "crop", "colour jitter": "jitter", "grayscaling": "grey"}

#: By the name that the command line takes.
TABLES = {
    "nwabufo-2": PaperTable(ACCURACIES, _MAPS),
    "nwabufo-3": PaperTable(SILHOUETTES, _MAPS),
    "nwabufo-4": PaperTable(
        ABLATIONS,
        (
            Row("all", "tsimcne"),
            *(Row(f"without {n}", "tsimcne", without=switch) for n, switch in _WITHOUT.items()),
        ),
    ),
}
