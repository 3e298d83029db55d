"""The examples in the docstrings of what people call from Python: there, and right."""

from __future__ import annotations

import doctest

import pytest

from napari_patchmap.augment import AugmentConfig
from napari_patchmap.patches import (
    OpenRequest,
    bundled_cells,
    from_array,
    from_objects,
    open_patches,
)
from napari_patchmap.quality import evaluate
from napari_patchmap.runs import Run, TrainConfig
from napari_patchmap.training import fit

ENTRY_POINTS = (
    AugmentConfig,
    OpenRequest,
    Run,
    TrainConfig,
    bundled_cells,
    evaluate,
    fit,
    from_array,
    from_objects,
    open_patches,
)


@pytest.mark.parametrize("what", ENTRY_POINTS, ids=lambda what: what.__name__)
def test_the_example_shows_what_happens(what, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # With nothing but what it imports itself, as whoever pastes it has it.
    (example,) = doctest.DocTestFinder(recurse=False).find(what, what.__name__, globs={})
    assert example.examples, f"{what.__name__} has no example"
    said: list[str] = []
    doctest.DocTestRunner().run(example, out=said.append)
    assert not said, "".join(said)
