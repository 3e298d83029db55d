"""What is remembered of the speed of this computer, and how a plan is said in doubt."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from napari_patchmap.layout.tsne import Tsne
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.training import fit, save_run
from napari_patchmap.training.budget import estimate, layout_time
from napari_patchmap.training.budget.amount import too_short
from napari_patchmap.training.budget.layout_time import LayoutTime
from napari_patchmap.training.budget.pace import Pace
from napari_patchmap.training.budget.speeds import (
    Seconds,
    recall,
    remember_steps,
    speeds_file,
    step_of,
)
from napari_patchmap.training.budget.timetable import Timetable
from napari_patchmap.training.planning import make_plan
from tests.conftest import make_cells


@pytest.fixture
def plan(tmp_path, monkeypatch):
    monkeypatch.setenv("PATCHMAP_CACHE", str(tmp_path / "cache"))
    return make_plan(make_cells(400), RunConfig(TrainConfig(device="cpu", epochs=(30, 1, 1))))


def paced(seconds, steps=40):
    now = [0.0]
    pace = Pace(steps=steps, clock=lambda: now[0])
    for _ in range(steps):
        now[0] += seconds
        pace.advance()
    return pace


def work(plan, number=0):
    return step_of(plan.recipe.stages[number], plan.spec, plan.device, plan.batch_size)


def known(plan, number=0):
    return recall(work(plan, number))


def test_the_last_real_speed_is_remembered_for_each_kind_of_step(plan):
    assert known(plan) is None
    remember_steps(work(plan), paced(0.25))
    assert known(plan) == pytest.approx(0.25)
    remember_steps(work(plan), paced(0.5))
    assert known(plan) == pytest.approx(0.5)
    assert known(plan, 1) is None


def test_a_few_steps_are_not_remembered(plan):
    remember_steps(work(plan), paced(0.25, steps=5))
    assert known(plan) is None


@pytest.mark.parametrize("text", ["", "[1]", '{"a": "b"}', "{", '{"a": -1}'])
def test_a_damaged_file_is_measured_anew(plan, text):
    speeds_file().parent.mkdir(parents=True, exist_ok=True)
    speeds_file().write_text(text)
    assert known(plan) is None
    remember_steps(work(plan), paced(0.25))
    assert known(plan) == pytest.approx(0.25)


def test_a_computer_that_was_faster_the_last_time_gives_a_range(plan):
    remember_steps(work(plan), paced(plan.times.step[0].likely / 100))
    again = make_plan(make_cells(400), RunConfig(TrainConfig(device="cpu", epochs=(30, 1, 1))))
    step = again.times.step[0]
    assert step.low < 0.2 * step.likely
    assert step.high >= step.likely
    assert re.match(
        r"\d.* to \d.*, as busy as this computer is, for 32 epochs", again.lines()[0]
    )


def short_of_time(plan, step):
    """Give the plan 12 seconds, all of them for steps."""
    return replace(plan, times=Timetable({}, (step,) * 3, plan.times.shares, 12.0))


def test_a_range_of_what_is_seen_says_nothing_if_it_may_be_enough(plan):
    sentence = too_short(short_of_time(plan, Seconds.about(60.0)))
    assert "about" in sentence
    sentence = too_short(short_of_time(plan, Seconds.about(60.0, 2.0)))
    assert re.search(r"sees \d+ % to \d+ % of the patches", sentence), sentence
    assert too_short(short_of_time(plan, Seconds(60.0, 0.06, 60.0))) == ""
    few = replace(short_of_time(plan, Seconds.about(1.0)), patches=20)
    assert re.search(r"makes about \d+ steps, too few", too_short(few))


def test_what_was_never_done_here_is_said_as_a_range_and_what_was_done_is_known(plan):
    first = plan.times
    assert first.seconds("measuring").in_doubt
    assert first.seconds("reading").high > 2 * first.seconds("reading").low
    first.keep({("measuring", 0): 7.0, ("reading", 0): 4.0, ("before", 1): 5.0})
    again = make_plan(make_cells(400), plan.config).times
    assert again.seconds("measuring") == Seconds.about(7.0)
    assert again.seconds("before", 1) == first.seconds("before", 1)
    # Of few patches, so that it says nothing about many.
    assert again.seconds("reading") == first.seconds("reading")
    many = make_plan(make_cells(1000), plan.config).times
    assert many.seconds("measuring").likely < 2
    many.keep({("reading", 0): 20.0})
    twice = make_plan(make_cells(2000), plan.config).times
    assert twice.seconds("reading").likely == pytest.approx(40.0)


def test_how_long_a_run_takes_to_be_saved_is_known_the_next_time(plan, tmp_path):
    cells, pixels = make_cells(), RunConfig(TrainConfig(method="pixels", device="cpu"))
    assert make_plan(cells, pixels).times.seconds("saving").in_doubt
    folder = save_run(fit(cells, pixels), tmp_path / "run")
    assert Run.load(folder).complete
    assert not make_plan(cells, pixels).times.seconds("saving").in_doubt
    # Some of it is done once, so that it is known for sets of about this size alone.
    assert plan.times.seconds("saving").in_doubt


def test_how_fast_a_tsne_was_while_others_worked_is_not_believed_for_long(monkeypatch):
    rates = iter([5e-4, 1e-4])
    monkeypatch.setattr(layout_time, "early_iteration", lambda *_: next(rates))
    busy, again = (LayoutTime(Tsne(), 3001).expected.likely for _ in range(2))
    assert again == busy  # so soon
    monkeypatch.setattr(estimate, "_HOLDS", -1.0)
    assert LayoutTime(Tsne(), 3001).expected.likely == pytest.approx(busy / 5)


def test_a_tsne_takes_what_it_took_here_before(monkeypatch, tmp_path):
    monkeypatch.setenv("PATCHMAP_CACHE", str(tmp_path / "cache"))
    tsne, now = Tsne(), [0.0]
    timed = LayoutTime(tsne, 3000, lambda: now[0])
    assert timed.expected.in_doubt
    for done in range(10, tsne.steps + 1, 10):
        now[0] += 10.0 if done <= 250 else 25.0
        timed.note(done)
    timed.keep()
    again = LayoutTime(tsne, 3000).expected
    assert not again.in_doubt
    assert now[0] < again.likely < 1.1 * now[0]  # with its neighbours
    assert LayoutTime(tsne, 6000).expected.likely == pytest.approx(2 * again.likely, rel=0.1)
    assert LayoutTime(Tsne(metric="cosine"), 3000).expected.in_doubt
