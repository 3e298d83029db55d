"""The report of a run: a page, complete in itself, or a PDF, that says what the panel says."""

from __future__ import annotations

import dataclasses
import io
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from pypdf import PdfReader

from napari_patchmap.cli import main
from napari_patchmap.find.searches import SEARCH_OF
from napari_patchmap.quality import defined_in
from napari_patchmap.quality.baselines import measure_baselines
from napari_patchmap.quality.batches import batch_effect
from napari_patchmap.quality.curve_words import curve_said
from napari_patchmap.quality.figure import FigureInput
from napari_patchmap.quality.label_curve import CurveConfig, label_curve
from napari_patchmap.quality.prediction import PredictionConfig, predict
from napari_patchmap.quality.prediction_words import prediction_said
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.runs.finding import find_in
from napari_patchmap.runs.reporting.blocks import ColumnHead, Entry, Grid, Matrix, Report, Words
from napari_patchmap.runs.reporting.html_report import as_html
from napari_patchmap.runs.reporting.pdf_report import as_pdf
from napari_patchmap.runs.reporting.run_report import report_of
from napari_patchmap.runs.reporting.writing_reports import write_report
from napari_patchmap.training import fit
from tests.conftest import make_cells

#: Elements without an end, or whose end may be left out.
_OPEN = {"meta", "img", "br", "td", "th", "tr", "li", "p"}


class Page(HTMLParser):
    """What stands in a page, and whether its elements are closed as they were opened."""

    def __init__(self, text):
        super().__init__()
        self.words, self.loads, self.tags, self._open = [], [], set(), []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.loads += [v for k, v in attributes if k in ("src", "href", "srcset", "data")]
        if tag not in _OPEN:
            self._open.append(tag)

    def handle_endtag(self, tag):
        if tag not in _OPEN:
            assert self._open.pop() == tag

    def handle_data(self, text):
        self.words.append(text)


def html(run, labels):
    return as_html(report_of(run, labels)).decode()


def pages_of(pdf):
    """Return the text of each page, as one copies it out of a PDF."""
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def bare(text):
    """Return text without blanks: where lines end depends on the paper."""
    return "".join(text.split())


@pytest.fixture(scope="module")
def run():
    return fit(make_cells(150), RunConfig(TrainConfig(device="cpu", epochs=(1, 1, 1), seed=3)))


@pytest.fixture
def saved(run, tmp_path):
    return Run.load(dataclasses.replace(run).save(tmp_path / "run"))


def test_it_says_what_was_measured_and_loads_nothing(saved):
    text = html(saved, saved.labels)
    page = Page(text)
    words = " ".join(" ".join(page.words).split())
    for figure in defined_in(saved.metrics):
        assert figure.text(saved.metrics) in words
        assert figure.help[:40] in words
    assert not page.tags & {"script", "link", "iframe"}
    assert page.loads
    assert all(one.startswith("data:image/png;base64,") for one in page.loads)
    assert not re.search(r"url\(|@import", text)
    assert re.search(r"150 image patches of \d+ x \d+ pixels", words)
    assert "The random seed was 3." in words
    assert "Unsupervised visualization of image datasets" in words  # to be cited
    assert saved.metrics["training"]["warning"] in words
    for label in ("spot", "ring", "bar"):
        assert label in words


def test_names_are_text_and_nothing_else(saved):
    labels = np.where(saved.labels == "bar", "<b onload='x()'>&", saved.labels)
    labels = np.where(labels == "ring", "**Ärger** λεμφο __größer__", labels)
    named = dataclasses.replace(saved, name="<script>alert(1)</script>")
    named.metrics = named.measured(labels).report
    report = report_of(named, labels)
    page = Page(as_html(report).decode())
    assert not page.tags & {"script", "b"}
    pages = pages_of(as_pdf(report))
    for name in (named.name, *np.unique(labels)):
        assert any(name in word for word in page.words)
        assert any(name in text for text in pages)


def test_the_pdf_says_all_that_the_page_says(saved):
    report = report_of(saved, saved.labels)
    pdf = as_pdf(report)
    pages = PdfReader(io.BytesIO(pdf)).pages
    text = bare(" ".join(page.extract_text() for page in pages))
    body = as_html(report).decode().partition("<body>")[2].partition("</body>")[0]
    for said in Page(body).words:
        assert bare(said) in text
    drawn = sum(len(page.images) for page in pages)
    assert drawn == body.count("<img") > 0


def test_no_row_of_a_table_is_cut_by_the_end_of_a_page():
    long = "words that go on " * 12
    rows = [[Entry(f"row {k:03d}"), Entry(f"{long}end {k:03d}")] for k in range(90)]
    grid = Grid(rows, [ColumnHead("Name of the row"), ColumnHead("What it says")])
    pages = pages_of(as_pdf(Report("long", "", [grid])))
    assert len(pages) > 3
    for text in pages:
        assert "Name of the row" in text  # each begins with the heads
        assert re.findall(r"row (\d+)", text) == re.findall(r"end (\d+)", text)
    assert len(re.findall(r"row \d+", " ".join(pages))) == 90


def test_names_of_any_length_and_many_columns_fit():
    heads = [ColumnHead("Name"), *(ColumnHead(f"{k:,} labels", number=True) for k in range(12))]
    rows = [[Entry("n" * 2000), *(Entry("100.0 %", "99-100") for _ in range(12))]] * 3
    names = [f"a label with a long name {k}" for k in range(25)]
    matrix = Matrix(names, np.full((25, 25), 0.04))
    report = Report("many", "x" * 9000, [Grid(rows, heads), matrix, Words("y " * 9000)])
    text = " ".join(pages_of(as_pdf(report)))
    assert text.count("99-100") == 36
    assert len(re.findall(r"\b4\b", text)) >= 25 * 25
    assert text.count("y ") + text.count("y\n") >= 9000


def test_letters_that_no_font_has_are_boxes_and_said():
    report = Report("cells", "\U000e0041 of \ue123", [Words("as ever")])
    (page,) = pages_of(as_pdf(report))
    assert "U+E123" in page
    assert "of □" in page
    (page,) = pages_of(as_pdf(Report("cells", "all known", [Words("as ever")])))
    assert "font" not in page


def test_what_is_not_known_is_left_out(saved):
    bare = dataclasses.replace(saved, columns={}, folder=None, info={})
    bare.metrics = bare.measured(None).report
    words = " ".join(Page(html(bare, None)).words)
    assert "Label by label" not in words
    assert "batch" not in words.split("For the methods section")[0]
    assert "The map, one point a patch." in words


def test_a_checked_batch_is_in_it(saved):
    slides = np.where(np.arange(150) % 2, "one", "two")
    given = FigureInput(saved.embedding, saved.labels)
    saved.metrics["batch"] = batch_effect(given, slides, "slide")
    words = " ".join(Page(html(saved, saved.labels)).words)
    assert saved.metrics["batch"]["said"] in words


def test_a_label_curve_is_in_it(saved):
    found = label_curve(saved.features, saved.labels, CurveConfig(repeats=2))
    saved.metrics["label_curve"] = found
    page = html(saved, saved.labels)
    words = " ".join(Page(page).words)
    assert curve_said(found) in words
    assert "the bands hold 95 % of the draws" in words
    saved.metrics.pop("label_curve")
    assert page.count("<img") == html(saved, saved.labels).count("<img") + 1
    for name in found["curves"]:
        assert name in words


def test_how_well_a_column_is_told_and_what_figures_compare_with_are_in_it(saved):
    config = PredictionConfig(k=5, share=0.2, repeats=2)
    given = FigureInput(saved.embedding, saved.labels, saved.features)
    found = predict(given, saved.table["label"], config=config)
    saved.metrics |= {"prediction": found, "baselines": measure_baselines(given)}
    page = " ".join(Page(html(saved, saved.labels)).words)
    assert "How well is label predicted?" in page
    assert prediction_said(found) in page
    assert "5-NN, features" in page
    chance = saved.metrics["baselines"]["random map"]["trustworthiness"]["mean"]
    assert f"random map {chance:.3f}" in page


def test_the_same_run_gives_the_same_page(saved, tmp_path):
    pages = [write_report(saved, tmp_path / f"{i}.html").read_bytes() for i in range(2)]
    assert pages[0] == pages[1]


def test_the_command_line_writes_it(run, tmp_path, capsys):
    before = dataclasses.replace(run, columns={}, metrics={"n": 150})  # measured since then
    folder = before.save(tmp_path / "run")
    out = tmp_path / "report.html"
    assert main(["report", str(folder), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"Report: {out}\n"
    assert "Trustworthiness" in " ".join(Page(out.read_text("utf-8")).words)
    assert "trustworthiness" in Run.load(folder).columns
    assert main(["report", str(folder), "--out", str(tmp_path / "report.pdf")]) == 0
    assert "Trustworthiness" in " ".join(pages_of((tmp_path / "report.pdf").read_bytes()))
    assert main(["report", str(folder), "--out", str(tmp_path / "report.doc")]) == 2
    assert "name it .html or .pdf" in capsys.readouterr().err
    assert main(["report", str(folder), "--out", str(tmp_path / "no" / "r.html")]) == 2
    assert "There is no folder" in capsys.readouterr().err


def test_what_was_found_stands_in_it(saved):
    """Groups with names and sizes, and what is to be looked at, patch by patch."""
    run = saved
    for key in ("groups", "odd", "mistakes"):
        search = SEARCH_OF[key]
        run.found[key] = find_in(run, search, search.config(), run.table)
    listed = run.found["mistakes"].listed
    rows = np.arange(30) % len(run)
    run.found["mistakes"] = dataclasses.replace(
        run.found["mistakes"],
        listed=pd.DataFrame(
            {"index": rows, "label": "ring", "likely": "<spot>", "score": 0.971, "reason": "so"}
        ),
    )
    assert list(listed) == list(run.found["mistakes"].listed)
    page = html(run, run.labels)
    words = " ".join(Page(page).words)
    for group in run.found["groups"].report["groups"]:
        assert re.search(rf"{group['name']}\s+{group['size']:,}\s", words)
    for line in (line for one in run.found.values() for line in one.lines):
        assert line in words
    assert words.count("<spot>") == 20
    assert "drawn [19]" in words
    assert "0.971" in words
    assert "10 more are in found-mistakes.csv" in words
    pdf = bare(" ".join(pages_of(as_pdf(report_of(run, run.labels)))))
    assert bare("10 more are in found-mistakes.csv") in pdf
    assert "<spot>" in pdf
    run.use_label("height")
    told = "is of the label given label; the label is height now"
    assert " ".join(Page(html(run, run.labels)).words).count(told) == 2
