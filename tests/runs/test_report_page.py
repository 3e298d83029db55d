"""The report of a run: one page, complete in itself, that says what the panel says."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from napari_patchmap.cli import main
from napari_patchmap.quality import defined_in
from napari_patchmap.quality.batches import batch_effect
from napari_patchmap.quality.figure import FigureInput
from napari_patchmap.quality.label_curve import CurveConfig, curve_said, label_curve
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.runs.report_page import report_html, write_report
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


@pytest.fixture(scope="module")
def run():
    return fit(make_cells(150), RunConfig(TrainConfig(device="cpu", epochs=(1, 1, 1), seed=3)))


@pytest.fixture
def saved(run, tmp_path):
    return Run.load(dataclasses.replace(run).save(tmp_path / "run"))


def test_it_says_what_was_measured_and_loads_nothing(saved):
    text = report_html(saved, saved.labels)
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
    named = dataclasses.replace(saved, name="<script>alert(1)</script>")
    named.metrics = named.measured(labels).report
    page = Page(report_html(named, labels))
    assert not page.tags & {"script", "b"}
    assert any("<script>alert(1)</script>" in word for word in page.words)
    assert any("<b onload='x()'>&" in word for word in page.words)


def test_what_is_not_known_is_left_out(saved):
    bare = dataclasses.replace(saved, columns={}, folder=None, info={})
    bare.metrics = bare.measured(None).report
    words = " ".join(Page(report_html(bare, None)).words)
    assert "Label by label" not in words
    assert "batch" not in words.split("For the methods section")[0]
    assert "The map, one point a patch." in words


def test_a_checked_batch_is_in_it(saved):
    slides = np.where(np.arange(150) % 2, "one", "two")
    given = FigureInput(saved.embedding, saved.labels)
    saved.metrics["batch"] = batch_effect(given, slides, "slide")
    words = " ".join(Page(report_html(saved, saved.labels)).words)
    assert saved.metrics["batch"]["said"] in words


def test_a_label_curve_is_in_it(saved):
    found = label_curve(saved.features, saved.labels, CurveConfig(repeats=2))
    saved.metrics["label_curve"] = found
    words = " ".join(Page(report_html(saved, saved.labels)).words)
    assert curve_said(found) in words
    for name in found["curves"]:
        assert name in words


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
    assert main(["report", str(folder), "--out", str(tmp_path / "report.pdf")]) == 2
    assert "ends in .html" in capsys.readouterr().err
    assert main(["report", str(folder), "--out", str(tmp_path / "no" / "r.html")]) == 2
    assert "There is no folder" in capsys.readouterr().err
