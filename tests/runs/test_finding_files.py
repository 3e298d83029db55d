"""Named selections on disk: joined by number, written beside annotations, never lost."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from napari_patchmap.explore.annotations import Annotations
from napari_patchmap.explore.findings import Findings
from napari_patchmap.explore.named_selections import SELECTIONS, NamedSelections
from napari_patchmap.runs.annotation_place import ANNOTATIONS, AnnotationPlace, place_of_set
from napari_patchmap.runs.finding_files import FoundThere, read_findings, save_findings
from tests.runs.annotated import patches, some


def named(**rows) -> NamedSelections:
    found = NamedSelections()
    for name, indices in rows.items():
        found = found.keep(name, np.array(indices))
    return found


def save(place, findings, there=None, before=None):
    save_findings(place, findings, there or FoundThere(findings), before)


def read(place, count):
    return read_findings(place, Findings(Annotations(count)))


def selected(found) -> dict[str, list[int]]:
    return {one.name: one.indices.tolist() for one in found.findings.selections.kept}


def test_they_come_back_without_annotations(tmp_path):
    place = AnnotationPlace(tmp_path / "run", np.arange(6))
    save(place, Findings(Annotations(6), named(Größe=[4, 0, 1])))
    assert [one.name for one in (tmp_path / "run").iterdir()] == [SELECTIONS]
    found = read(place, 6)
    assert selected(found) == {"Größe": [0, 1, 4]}
    assert found.whole
    assert not found.note


def test_only_what_changed_is_written_again(tmp_path):
    place = AnnotationPlace(tmp_path, np.arange(6))
    before = Findings(some(), named(a=[1]))
    save(place, before)
    (tmp_path / ANNOTATIONS).write_text("somebody looks at it")
    save(place, replace(before, selections=named(b=[2])), before=before)
    assert (tmp_path / ANNOTATIONS).read_text() == "somebody looks at it"
    assert json.loads((tmp_path / SELECTIONS).read_text()) == {"selections": {"b": "2"}}
    save(place, replace(before, selections=NamedSelections()), before=before)
    assert json.loads((tmp_path / SELECTIONS).read_text()) == {"selections": {}}


def test_what_does_not_lie_there_comes_from_before(tmp_path):
    place = AnnotationPlace(tmp_path, np.arange(6))
    save(place, Findings(some()))
    here = Findings(Annotations(6), named(a=[1]))
    found = read_findings(place, here)
    assert found.findings.selections is here.selections
    assert not found.findings.annotations.empty
    assert not found.whole


def test_patches_that_are_missing_today_stay_in_their_selections(tmp_path):
    everything = AnnotationPlace(tmp_path, np.arange(6))
    save(everything, Findings(Annotations(6), named(a=[1, 4], b=[5], gone=[2])))
    today = AnnotationPlace(tmp_path, np.array([5, 1, 0]))  # in another order, too
    found = read(today, 3)
    assert selected(found) == {"a": [1], "b": [0], "gone": []}
    selections = found.findings.selections.renamed("a", "A").changed("b", np.array([2]))
    selections = selections.without("gone").keep("c", np.array([0]))
    save(today, replace(found.findings, selections=selections), found)
    assert selected(read(everything, 6)) == {"A": [1, 4], "b": [0], "c": [5]}


def test_before_there_is_a_run_patches_go_by_where_they_are_from(tmp_path):
    place = place_of_set(patches(["a.png", "b.png", "c.png"]), tmp_path)
    save(place, Findings(Annotations(3), named(good=[1, 2])))
    other = place_of_set(patches(["new.png", "c.png", "a.png", "b.png"]), tmp_path)
    assert other.used
    assert selected(read(other, 4)) == {"good": [1, 3]}


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"selections": {"a": "5-2"}}', '{"selections": ["a"]}', "[" * 200_000],
)
def test_a_file_that_cannot_be_read_is_told_and_never_overwritten(tmp_path, content):
    path, place = tmp_path / SELECTIONS, AnnotationPlace(tmp_path, np.arange(6))
    path.write_text(content)
    for again in range(2):
        found = read(place, 6)
        assert str(path) in found.note
        assert path.read_text() == content
        findings = Findings(Annotations(6), named(a=[1]))
        save(place, findings, found)
        save(place, findings, found)
        kept = sorted(one.name for one in tmp_path.iterdir())
        assert len(kept) == 2 + again
        assert (tmp_path / kept[0]).read_text() == content
        path.write_text(content)
