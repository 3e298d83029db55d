"""What a window does in the background asks whether to end, and then leaves nothing half."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from napari_patchmap.augment import AugmentConfig, preview_views
from napari_patchmap.find.keep_one import spare_copies
from napari_patchmap.patches.cache.cache_folder import cache_size
from napari_patchmap.patches.watch import LoadCancelled, Watch
from napari_patchmap.quality.voting import votes
from napari_patchmap.runs import Run, RunConfig, TrainConfig, find_maps, find_unfinished
from napari_patchmap.runs import read_map as read
from napari_patchmap.runs.annotation_place import key_of_set
from napari_patchmap.runs.class_table import read_classes
from napari_patchmap.runs.comparison import compare
from napari_patchmap.runs.drawing.figure_kinds import FIGURE_KINDS
from napari_patchmap.runs.identity import identify
from napari_patchmap.runs.other_features import known_of
from napari_patchmap.runs.outside import place_image
from napari_patchmap.runs.reporting.writing_reports import write_report
from napari_patchmap.runs.saved_map import maps_in
from napari_patchmap.training import fit
from tests.conftest import make_cells


class Person:
    """Goes away at the first question."""

    asked = False

    def __call__(self) -> bool:
        self.asked = True
        return True


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A folder with two maps of the same cells, which lie in a file, and an image beside it."""
    root = tmp_path_factory.mktemp("stopping")
    cells = make_cells()
    np.savez(root / "cells.npz", images=cells.stack(), labels=cells.labels)
    Picture.fromarray(cells.stack()[3]).save(root / "one.png")
    (root / "classes.csv").write_text("index,class\n0,a\n1,b\n")
    run = fit(cells, RunConfig(TrainConfig(method="pixels", device="cpu")))
    for name in ("first", "second"):
        run.save(root / "runs" / name)
    return root


@pytest.fixture(scope="module")
def made(home) -> tuple[Run, object]:
    return Run.load(home / "runs" / "first"), make_cells()


def drawn(kind, run, cells, watch):
    from napari_patchmap.explore.colouring import colour_by
    from napari_patchmap.runs.drawing.drawable import Drawable

    given = Drawable(
        run.embedding, colour_by(cells.table, "label"), np.arange(len(cells)), lambda: cells,
        lambda: run, watch=watch,
    )  # fmt: skip
    return FIGURE_KINDS[kind].draw(given, FIGURE_KINDS[kind].config())


WORKS = {
    "copies": lambda run, cells, home, watch: spare_copies(
        np.array(["a"] * len(cells), object), "sharpest", cells, watch
    ),
    "votes": lambda run, cells, home, watch: votes(run.embedding, run.labels, watch),
    "views": lambda run, cells, home, watch: preview_views(
        cells, 0, AugmentConfig(), 4, watch=watch
    ),
    "key": lambda run, cells, home, watch: key_of_set(make_cells(seed=9), watch),
    "patches": lambda run, cells, home, watch: known_of(cells, None, watch),
    "maps": lambda run, cells, home, watch: find_maps("any", 60, home / "runs", watch),
    "named maps": lambda run, cells, home, watch: maps_in([home / "runs"], watch),
    "comparison": lambda run, cells, home, watch: compare(
        [read(home / "runs" / name) for name in ("first", "second")], home / "out", watch
    ),
    "report": lambda run, cells, home, watch: write_report(
        run, home / "out.html", cells.labels, watch
    ),
    "an image": lambda run, cells, home, watch: place_image(run, home / "one.png", watch),
    "placing": lambda run, cells, home, watch: run.place(cells, watch),
    "class table": lambda run, cells, home, watch: read_classes(
        home / "classes.csv", cells, identify(cells), watch=watch
    ),
    **{
        kind: lambda run, cells, home, watch, kind=kind: drawn(kind, run, cells, watch)
        for kind in ("montage", "tips", "classes")
    },
}


@pytest.mark.parametrize("name", WORKS)
def test_work_ends_when_nobody_waits_for_it(name, made, home):
    person, before = Person(), sorted(home.rglob("*"))
    with pytest.raises(LoadCancelled):
        WORKS[name](*made, home, Watch(should_stop=person))
    assert sorted(home.rglob("*")) == before
    WORKS[name](*made, home, Watch(should_stop=lambda: False))


def test_runs_and_the_cache_are_looked_through_while_somebody_waits(home, monkeypatch):
    stopped = Watch(should_stop=lambda: True)
    assert find_unfinished(make_cells(), stopped) == []  # there is nothing to look at
    monkeypatch.setattr("napari_patchmap.runs.run_places.runs_home", lambda: home / "runs")
    with pytest.raises(LoadCancelled):
        find_unfinished(make_cells(), stopped)
    fit(make_cells(), RunConfig(TrainConfig(method="pixels", device="cpu")))
    assert cache_size(stopped) == (0, 0)  # nor here
