"""``patchmap benchmark``: many maps of the same patches, one table, one figure.

Each combination of method, augmentations, what is left out of them, and seed is a
run folder of its own, so that everything can be stopped and gone on with: finished
runs are read, an unfinished one is resumed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from napari_patchmap.augment import AugmentConfig
from napari_patchmap.errors import RunError, TrainingStopped
from napari_patchmap.explore.side_by_side import turned_alike
from napari_patchmap.methods.catalog import METHODS
from napari_patchmap.patches import PatchSet
from napari_patchmap.quality.columns import (
    SPREAD,
    figure_cells,
    figure_numbers,
    markdown,
    written,
)
from napari_patchmap.quality.figures import FIGURES
from napari_patchmap.runs import (
    Run,
    RunConfig,
    TrainConfig,
    alone_in,
    check_free,
    is_unfinished,
)
from napari_patchmap.runs.identity import identify
from napari_patchmap.runs.picture import draw_maps
from napari_patchmap.runs.run_folder import recover
from napari_patchmap.runs.saved_map import same_rows
from napari_patchmap.training import fit, save_run
from napari_patchmap.training.progress import ProgressCallback, StopCallback
from napari_patchmap.writing import check_not_foreign, write_whole

#: The table of a grid, and the columns that name a row.
_TABLE, _KEYS = "table.csv", ["method", "augment", "without"]

#: What is written after the table.
_TEXT, _FIGURE = "table.md", "maps.png"

#: Left out of the augmentations: nothing.
NOTHING = "nothing"


@dataclass(frozen=True)
class Cell:
    """One run of a grid; its network is the one that is set for all unless it has its own."""

    method: str
    augment: str
    without: str
    seed: int
    backbone: str = ""

    @property
    def views(self) -> tuple[str, str]:
        """Augmentations, and what is left out of them; "" where the method has no views."""
        return (self.augment, self.without) if METHODS[self.method].trains else ("", "")

    @property
    def kind(self) -> str:
        """What its runs of all seeds are called."""
        augment, without = self.views
        left_out = f"without-{without}" if without not in ("", NOTHING) else ""
        return "_".join(filter(None, (self.method, self.backbone, augment, left_out)))

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.kind}_seed-{self.seed}"

    def config(self, train: dict[str, Any]) -> RunConfig:
        """Settings of the run; what the method does not know is left out."""
        augment = AugmentConfig.preset(self.augment)
        if self.without != NOTHING:
            augment = augment.without(self.without)
        chosen = METHODS[self.method].known(train)
        chosen |= {"method": self.method, "seed": self.seed}
        if self.backbone:
            chosen["backbone"] = self.backbone
        return RunConfig(TrainConfig(**chosen), augment)


def cells(
    methods: Sequence[str],
    augments: Sequence[str],
    without: Sequence[str],
    seeds: Sequence[int],
) -> list[Cell]:
    """List all runs of a grid, each once; methods without views have one a seed."""
    found: dict[str, Cell] = {}
    for choice in itertools.product(methods, augments, without, seeds):
        cell = Cell(*choice)
        found.setdefault(cell.name, cell)
    return list(found.values())


def check_out(out: Path, grid: Sequence[Cell]) -> None:
    """Check that there is a place for the table and for each run of a grid.

    Raises
    ------
    RunError
    """
    check_not_foreign(out / _TABLE, _KEYS, RunError, (_TEXT, _FIGURE))
    for cell in grid:
        folder = out / cell.name
        recover(folder)
        if not (folder / "config.json").is_file():
            check_free(folder, unfinished=True)


def run_grid(
    patches: PatchSet,
    out: Path,
    grid: Sequence[Cell],
    train: dict[str, Any],
    *,
    progress: ProgressCallback | None = None,
    should_stop: StopCallback = lambda: False,
    say: Callable[[str], None] = lambda text: None,
) -> pd.DataFrame:
    """Train what is missing of a grid, and write its table and figure.

    ``patches`` should be labelled, ``out`` has passed :func:`check_out`, all runs share the
    settings in ``train``, and ``say`` is told a line about each. A stopped grid is gone on
    with by the same call. The table is that of :func:`summarise`.

    Raises
    ------
    PatchmapError
        If a run cannot be trained, or nothing can be written in ``out``.
    """
    configs = [(cell, cell.config(train)) for cell in grid]  # checked before the first hour
    done: list[tuple[Cell, Run]] = []
    known: pd.DataFrame | None = None
    for number, (cell, config) in enumerate(configs, 1):
        folder = out / cell.name
        where = f"{number} of {len(grid)}: {cell.name}"
        if (folder / "config.json").is_file() and not is_unfinished(folder):
            run = Run.load(folder)
            if run.config != config:
                raise RunError(
                    f"{folder} holds a run with other settings; choose another folder, or "
                    "remove it."
                )
            known = identify(patches) if known is None else known
            same_rows(known, run.who, folder)
            say(f"{where}: finished before")
        else:
            say(where)
            try:
                with alone_in(folder):
                    run = fit(
                        patches,
                        config,
                        folder=folder,
                        resume=is_unfinished(folder),
                        progress=progress,
                        should_stop=should_stop,
                    )
                    save_run(run, folder)
            except TrainingStopped:  # while it was planned
                break
            for note in run.missed:
                say(f"{where}: {note}")
            if not run.complete:
                break
        done.append((cell, run))
    table = summarise(done)
    try:
        write(out, table, done)
    except OSError as error:
        raise RunError(
            f"The table cannot be written in {out} ({error.strerror or error}); all runs are "
            "saved, so make room and give the same command again."
        ) from None
    return table


def summarise(done: Sequence[tuple[Cell, Run]]) -> pd.DataFrame:
    """Mean and standard deviation over the seeds.

    Returns
    -------
    DataFrame
        Columns method, augment, without, backbone ("" where it is that of all), runs, each
        quality figure (see
        :func:`~napari_patchmap.quality.columns.figure_numbers`) and its deviation (that of
        a sample, NaN of one run; its key ends in ``_sd``), minutes.
    """
    figures = [figure.key for figure in FIGURES]
    rows = [
        [
            cell.method,
            *cell.views,
            cell.backbone,
            *figure_numbers(run.metrics).values(),
            run.info["seconds"] / 60,
        ]
        for cell, run in done
    ]
    keys = [*_KEYS, "backbone"]
    runs = pd.DataFrame(rows, columns=[*keys, *figures, "minutes"])
    groups = runs.groupby(keys, sort=False)
    table, mean, spread = groups.size().to_frame("runs"), groups.mean(), groups.std()
    for key in figures:
        table[key], table[f"{key}{SPREAD}"] = mean[key], spread[key]
    table["minutes"] = mean["minutes"]
    return table.reset_index()


def as_lines(table: pd.DataFrame, *, every: bool = False) -> list[str]:
    """Write a table with its main figures, or every one, as lines of Markdown."""
    return markdown(
        {
            "method": table["method"],
            "augmentations": table["augment"],
            "without": table["without"],
            **({"network": table["backbone"]} if table["backbone"].any() else {}),
            "runs": table["runs"],
            **figure_cells(table, every=every),
            "minutes": written(table["minutes"], 1),
        }
    )


def write(out: Path, table: pd.DataFrame, done: Sequence[tuple[Cell, Run]]) -> None:
    """Write ``table.csv``, ``table.md`` and ``maps.png`` (the first seed of each)."""
    if not done:
        return
    write_whole(out / _TABLE, table.to_csv(index=False))
    write_whole(out / _TEXT, "\n".join(as_lines(table)) + "\n")
    shown: dict[str, Run] = {}
    for cell, run in done:
        shown.setdefault(cell.kind, run)
    maps = turned_alike([run.embedding for run in shown.values()])
    named = zip(shown.items(), maps, strict=True)
    draw_maps(
        out / _FIGURE,
        [(kind.replace("_", " "), m, run.labels, run.metrics) for (kind, run), m in named],
    )
