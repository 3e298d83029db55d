"""A report of a run: one HTML file that opens anywhere, without a network."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.explore.colouring import Colouring, colour_by
from napari_patchmap.methods.catalog import METHODS
from napari_patchmap.quality import FIGURES, defined_in
from napari_patchmap.quality.batches import batch_lines
from napari_patchmap.quality.checks import CHECKS
from napari_patchmap.quality.columns import column_of
from napari_patchmap.quality.figure import QUESTIONS, capitalised
from napari_patchmap.quality.label_curve import curve_said
from napari_patchmap.quality.report import label_figures
from napari_patchmap.quality.voting import MOST_LABELS, VOTERS, votes
from napari_patchmap.runs.drawing.figure_config import FigureConfig
from napari_patchmap.runs.drawing.map_page import draw_map
from napari_patchmap.runs.drawing.paper import drawn_page
from napari_patchmap.runs.methods_paragraph import citations, methods_paragraph
from napari_patchmap.runs.run import Run
from napari_patchmap.runs.run_folder import CONFIG
from napari_patchmap.runs.saved_map import title_of
from napari_patchmap.runs.writable import writing
from napari_patchmap.writing import write_whole

#: The pictures of the page: as wide as its text.
_PICTURE = FigureConfig(width=180, font_size=9, dpi=150)

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 60em; margin: 2em auto;
  padding: 0 1em; }
h1 { font-size: 1.6em; margin-bottom: 0; } h2 { font-size: 1.2em; margin-top: 2em; }
img { max-width: 100%; } .hint { color: #666; } .warn { font-weight: 600; }
table { border-collapse: collapse; width: 100%; } td, th { padding: .3em .6em;
  text-align: left; vertical-align: top; border-bottom: 1px solid #ddd; }
td.n, th.n { text-align: right; white-space: nowrap; } td.big { font-weight: 600; }
table.matrix { width: auto; } table.matrix td, table.matrix th { border: 0; text-align: center;
  min-width: 2.2em; } table.matrix th:first-child { text-align: left; }
details { margin: 1em 0; } @media print { details > * { display: block; } h2 { break-after:
  avoid; } tr { break-inside: avoid; } }
"""


def write_report(run: Run, path: Path, labels: np.ndarray | None = None) -> Path:
    """Write a report of a saved run: map, figures, settings, and what a paper has to say.

    Parameters
    ----------
    run : Run
        Its figures are taken as they are known; see :meth:`Run.measured`.
    path : path
        Of the HTML file.
    labels : ndarray of str, shape (n,), optional
        Others than those of its table.

    Raises
    ------
    RunError
        If it cannot be written.
    """
    with writing(path):
        write_whole(path, report_html(run, run.labels if labels is None else labels))
    return path


def report_html(run: Run, labels: np.ndarray | None) -> str:
    """Return the page: everything is in it, and nothing is loaded from elsewhere."""
    saved = _saved(run)
    title = title_of(run.config, run.layout, complete=run.complete)
    parts = [
        f"<h1>{escape(run.name)}</h1>",
        f'<p class="hint">{escape(title)}; {len(run):,} patches</p>',
        _map(run, labels),
        _trust(run),
        _checks(run.metrics),
        _labels(run, labels),
        _curve(run.metrics),
        _batch(run.metrics),
        _notes(run),
        _how(run, saved),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(run.name)}: map of {len(run):,} patches</title>"
        f"<style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(filter(None, parts))
        + "\n</body></html>\n"
    )


def _saved(run: Run) -> dict[str, Any]:
    """Return what the run's folder says of itself, nothing where it has none."""
    if run.folder is None:
        return {}
    saved: dict[str, Any] = json.loads((run.folder / CONFIG).read_text("utf-8"))
    return saved


def _map(run: Run, labels: np.ndarray | None) -> str:
    table = pd.DataFrame({} if labels is None else {"label": labels}, index=range(len(run)))
    said = "by label" if labels is not None else "one point a patch"
    shown = [_picture(run.embedding, colour_by(table, "label" if labels is not None else ""))]
    captions = [f"The map, {said}."]
    for figure in FIGURES:
        if figure.headline and figure.key in run.columns and not figure.needs_labels:
            name, values = column_of(figure), run.columns[figure.key]
            colours = colour_by(pd.DataFrame({name: values}), name)
            shown.append(_picture(run.embedding, colours))
            captions.append(f"The same map by {figure.name}: where it can be trusted.")
    return "\n".join(
        f'<figure><img alt="{escape(caption)}" src="data:image/png;base64,{data}">'
        f'<figcaption class="hint">{escape(caption)}</figcaption></figure>'
        for data, caption in zip(shown, captions, strict=True)
    )


def _picture(embedding: np.ndarray, colouring: Colouring) -> str:
    return b64encode(drawn_page(draw_map(embedding, colouring, _PICTURE))).decode()


def _trust(run: Run) -> str:
    """The figures, by the question that they answer."""
    parts, known = [], defined_in(run.metrics)
    for question in QUESTIONS:
        answers = [figure for figure in known if figure.question == question]
        if not answers:
            continue
        rows = [
            f"<tr><td>{escape(capitalised(f.name))}</td>"
            f'<td class="n big">{escape(f.text(run.metrics))}</td>'
            f"<td>{escape(f.basis_of(run.metrics))}</td>"
            f"<td>{escape(f.help)} <span class=hint>({escape(f.reference)})</span></td></tr>"
            for f in answers
        ]
        head = "<tr><th>Figure<th class=n>Value<th>On what<th>What it means</tr>"
        parts.append(f"<h2>{escape(question)}</h2><table>{head}{''.join(rows)}</table>")
    if parts and METHODS[run.config.train.method].trains:
        parts.append(
            '<p class="hint">All figures are of the patches on which the network was trained, '
            "without their labels; of patches that it has not seen they may be lower.</p>"
        )
    return "\n".join(parts)


def _checks(metrics: dict[str, Any]) -> str:
    """What was asked for beyond the figures."""
    return "\n".join(
        f"<h2>{escape(check.question)}</h2>{_list(check.lines(metrics[check.key]))}"
        f'<p class="hint">{escape(check.help)} ({escape(check.reference)})</p>'
        for check in CHECKS
        if metrics.get(check.key)
    )


def _labels(run: Run, labels: np.ndarray | None) -> str:
    rows, figures = label_figures(run.metrics), [f for f in FIGURES if f.by_label]
    if not rows:
        return ""
    heads = "".join(f"<th class=n>{escape(f.name)}" for f in figures)
    body = "".join(
        f"<tr><td>{escape(one.name)}</td><td class=n>{one.count:,}</td>"
        + "".join(f"<td class=n>{escape(f.text(one.entries, 'exact'))}</td>" for f in figures)
        + "</tr>"
        for one in rows
    )
    table = f"<table><tr><th>Label<th class=n>Patches{heads}</tr>{body}</table>"
    return f"<h2>Label by label</h2>{table}{_matrix(run.embedding, labels)}"


def _matrix(embedding: np.ndarray, labels: np.ndarray | None) -> str:
    """The confusion of each patch's neighbours on the map, in percent of the rows."""
    if labels is None:
        return ""
    rows = np.flatnonzero(labels != "")
    names = np.unique(labels[rows])
    if len(rows) <= VOTERS or not 2 <= len(names) <= MOST_LABELS:
        return ""
    found = votes(embedding[rows], labels[rows])
    counts = found.confusion
    heads = "".join(f"<th>{place}" for place in range(1, len(names) + 1))
    body = "".join(
        f"<tr><th>{place} {escape(str(name))}</th>{_cells(counts[place - 1])}</tr>"
        for place, name in enumerate(names, 1)
    )
    return (
        f"<p>Of each label (row), in percent, what most of the {VOTERS} nearest neighbours on "
        f'the map are (column):</p><table class="matrix"><tr><th>{heads}</tr>{body}</table>'
    )


def _cells(counts: np.ndarray) -> str:
    shares = counts / max(1, counts.sum())
    return "".join(
        f'<td style="background: rgba(60, 110, 200, {share**0.5 * 0.8:.2f})">'
        f"{f'{100 * share:.0f}' if share >= 0.005 else '·' if share else ''}</td>"
        for share in shares
    )


def _curve(metrics: dict[str, Any]) -> str:
    found = metrics.get("label_curve")
    if not found:
        return ""
    heads = "".join(f"<th class=n>{size:,}" for size in found["sizes"])
    body = "".join(
        f"<tr><td>{escape(name)}</td>"
        + "".join(
            f"<td class=n>{100 * mean:.0f} <span class=hint>{100 * low:.0f}-{100 * high:.0f}"
            "</span></td>"
            for mean, low, high in zip(curve["mean"], curve["low"], curve["high"], strict=True)
        )
        + "</tr>"
        for name, curve in found["curves"].items()
    )
    return (
        f"<h2>How many labels would be enough?</h2><p>{escape(curve_said(found))}</p>"
        f"<p>Balanced accuracy in percent by labels of each class, and where 95 % of "
        f"{found['repeats']} draws lie; {found['test_n']:,} patches were tested:</p>"
        f"<table><tr><th>Classifier of the features{heads}</tr>{body}</table>"
    )


def _batch(metrics: dict[str, Any]) -> str:
    if not metrics.get("batch"):
        return ""
    first, *others = batch_lines(metrics["batch"])
    return (
        f'<h2>Does the map show biology or the batch?</h2><p class="warn">{escape(first)}</p>'
        f"{_list(others)}"
    )


def _notes(run: Run) -> str:
    notes = [*run.metrics.get("notes", []), *run.info.get("notes", [])]
    return f"<h2>What to know</h2>{_list(dict.fromkeys(notes))}" if notes else ""


def _how(run: Run, saved: dict[str, Any]) -> str:
    versions = saved.get("versions", {})
    settings = {
        f"{group}: {name}": value
        for group, values in run.config.to_dict().items()
        for name, value in values.items()
        if value is not None
    }
    return (
        f"<h2>For the methods section</h2><p>{escape(methods_paragraph(run, versions))}</p>"
        f"<h2>To cite</h2>{_list(citations(run))}"
        f"<h2>How it was planned</h2>{_list(run.info.get('plan', {}).get('lines', []))}"
        f"<details><summary>All settings</summary>{_pairs(settings)}</details>"
        f"<details><summary>Versions</summary>{_pairs(versions)}</details>"
    )


def _list(lines: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(str(line))}</li>' for line in lines)}</ul>"


def _pairs(values: dict[str, Any]) -> str:
    rows = (
        f"<tr><td>{escape(str(k))}</td><td>{escape(str(v))}</td></tr>"
        for k, v in values.items()
    )
    return f"<table>{''.join(rows)}</table>"
