"""What a report of a run says: map, figures, settings, and what a paper has to say."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.explore.colouring import Colouring, colour_by
from napari_patchmap.methods.catalog import METHODS
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.quality import FIGURES, defined_in
from napari_patchmap.quality.baselines import BASELINES, baseline_text
from napari_patchmap.quality.columns import column_of
from napari_patchmap.quality.figure import QUESTIONS, capitalised
from napari_patchmap.quality.report import TRAINED_ON, label_figures
from napari_patchmap.quality.voting import MOST_LABELS, VOTERS, votes
from napari_patchmap.runs.drawing.map_page import draw_map
from napari_patchmap.runs.drawing.paper import drawn_page
from napari_patchmap.runs.methods_paragraph import citations, methods_paragraph
from napari_patchmap.runs.reporting.blocks import (
    REPORT_PICTURE,
    Aside,
    Block,
    ColumnHead,
    Drawn,
    Entry,
    Grid,
    Heading,
    Listed,
    Matrix,
    Report,
    Words,
)
from napari_patchmap.runs.reporting.checks import checked
from napari_patchmap.runs.reporting.found_blocks import found_out
from napari_patchmap.runs.run import Run
from napari_patchmap.runs.run_folder import CONFIG
from napari_patchmap.runs.saved_map import title_of


def report_of(run: Run, labels: np.ndarray | None, watch: Watch = UNWATCHED) -> Report:
    """Say what is known of a run.

    Parameters
    ----------
    run : Run
        Its figures are taken as they are known; see :meth:`Run.measured`.
    labels : ndarray of str, shape (n,), or None
        What its patches are, where that is known.
    watch : Watch, optional
        Asked before each picture.
    """
    title = title_of(run.config, run.layout, complete=run.complete, evened=run.evened_by)
    blocks = [
        *_map(run, labels, watch),
        *_trust(run),
        *_labels(run, labels),
        *checked(run.metrics),
        *found_out(run),
        *_notes(run),
        *_how(run, _saved(run)),
    ]
    return Report(run.name, f"{title}; {len(run):,} patches", blocks)


def _saved(run: Run) -> dict[str, Any]:
    """Return what the run's folder says of itself, nothing where it has none."""
    if run.folder is None:
        return {}
    saved: dict[str, Any] = json.loads((run.folder / CONFIG).read_text("utf-8"))
    return saved


def _map(run: Run, labels: np.ndarray | None, watch: Watch) -> list[Block]:
    table = pd.DataFrame({} if labels is None else {"label": labels}, index=range(len(run)))
    said = "by label" if labels is not None else "one point a patch"
    colours = colour_by(table, "label" if labels is not None else "")
    watch.check()
    shown: list[Block] = [_picture(run, colours, f"The map, {said}.")]
    for figure in FIGURES:
        watch.check()
        if figure.headline and figure.key in run.columns and not figure.needs_labels:
            name, values = column_of(figure), run.columns[figure.key]
            colours = colour_by(pd.DataFrame({name: values}), name)
            caption = f"The same map by {figure.name}: where it can be trusted."
            shown.append(_picture(run, colours, caption))
    return shown


def _picture(run: Run, colouring: Colouring, caption: str) -> Drawn:
    return Drawn(drawn_page(draw_map(run.embedding, colouring, REPORT_PICTURE)), caption)


def _trust(run: Run) -> list[Block]:
    """The figures, by the question that they answer."""
    blocks: list[Block] = []
    known, beside = defined_in(run.metrics), BASELINES.known(run.metrics) or {}
    heads = [
        ColumnHead("Figure"),
        ColumnHead("Value", number=True, strong=True),
        ColumnHead("On what"),
        ColumnHead("What it means"),
    ]
    for question in QUESTIONS:
        rows = [
            [
                Entry(capitalised(figure.name)),
                Entry(figure.text(run.metrics)),
                Entry(figure.basis_of(run.metrics), _bracketed(baseline_text(beside, figure))),
                Entry(figure.help, f"({figure.reference})"),
            ]
            for figure in known
            if figure.question == question
        ]
        blocks += [Heading(question), Grid(rows, heads)] if rows else []
    if blocks and METHODS[run.config.train.method].trains:
        blocks.append(Words(TRAINED_ON, "hint"))
    return blocks


def _bracketed(text: str) -> str:
    return f"({text})" if text else ""


def _labels(run: Run, labels: np.ndarray | None) -> list[Block]:
    found, figures = label_figures(run.metrics), [f for f in FIGURES if f.by_label]
    if not found:
        return []
    heads = [
        ColumnHead("Label"),
        ColumnHead("Patches", number=True),
        *(ColumnHead(figure.name, number=True) for figure in figures),
    ]
    rows = [
        [
            Entry(one.name),
            Entry(f"{one.count:,}"),
            *(Entry(figure.text(one.entries, "exact")) for figure in figures),
        ]
        for one in found
    ]
    named = run.metrics.get("label_from")
    heading = Heading(f"Label by label: {named}" if named else "Label by label")
    return [heading, Grid(rows, heads), *_matrix(run.embedding, labels)]


def _matrix(embedding: np.ndarray, labels: np.ndarray | None) -> list[Block]:
    """The confusion of each patch's neighbours on the map, in percent of the rows."""
    if labels is None:
        return []
    rows = np.flatnonzero(labels != "")
    names = np.unique(labels[rows])
    if len(rows) <= VOTERS or not 2 <= len(names) <= MOST_LABELS:
        return []
    counts = votes(embedding[rows], labels[rows]).confusion
    said = (
        f"Of each label (row), in percent, what most of the {VOTERS} nearest neighbours on the "
        "map are (column):"
    )
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    return [Words(said), Matrix([str(name) for name in names], shares)]


def _notes(run: Run) -> list[Block]:
    notes = [*run.metrics.get("notes", []), *run.info.get("notes", [])]
    return [Heading("What to know"), Listed([*dict.fromkeys(notes)])] if notes else []


def _how(run: Run, saved: dict[str, Any]) -> list[Block]:
    versions = saved.get("versions", {})
    settings = {
        f"{group}: {name}": value
        for group, values in run.config.to_dict().items()
        for name, value in values.items()
        if value is not None
    }
    lines = run.info.get("plan", {}).get("lines", [])
    planned: list[Block] = [Heading("How it was planned"), Listed(lines)]
    return [
        Heading("For the methods section"),
        Words(methods_paragraph(run, versions)),
        Heading("To cite"),
        Listed(citations(run)),
        *(planned if lines else []),
        *_pairs("All settings", settings),
        *_pairs("Versions", versions),
    ]


def _pairs(title: str, values: dict[str, Any]) -> list[Block]:
    rows = [[Entry(str(name)), Entry(str(value))] for name, value in values.items()]
    return [Aside(title, [Grid(rows)])] if rows else []
