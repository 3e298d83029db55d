"""What is remembered of the speed of this computer, and how a plan is said in doubt."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training.budget.pace import Pace
from napari_patchmap.training.budget.speeds import recall, remember, speeds_file
from napari_patchmap.training.plan import make_plan
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


def note(plan, pace, parts=1):
    """Remember the speed of the first stage."""
    remember(plan.recipe.stages[0], plan.spec, plan.device, plan.batch_size, pace, parts)


def known(plan, number=0):
    return recall(plan.recipe.stages[number], plan.spec, plan.device, plan.batch_size)


def test_the_last_real_speed_is_remembered_for_each_kind_of_step(plan):
    assert known(plan) is None
    note(plan, paced(0.25))
    assert known(plan) == pytest.approx(0.25)
    note(plan, paced(0.5))
    assert known(plan) == pytest.approx(0.5)
    assert known(plan, 1) is None


def test_a_few_steps_and_steps_in_parts_are_not_remembered(plan):
    note(plan, paced(0.25, steps=5))
    note(plan, paced(0.25), parts=2)
    assert known(plan) is None


@pytest.mark.parametrize("text", ["", "[1]", '{"a": "b"}', "{", '{"a": -1}'])
def test_a_damaged_file_is_measured_anew(plan, text):
    speeds_file().parent.mkdir(parents=True, exist_ok=True)
    speeds_file().write_text(text)
    assert known(plan) is None
    note(plan, paced(0.25))
    assert known(plan) == pytest.approx(0.25)


def test_a_computer_that_was_faster_the_last_time_gives_a_range(plan):
    step = plan.expected.step[0]
    note(plan, paced(step / 100))
    again = make_plan(make_cells(400), RunConfig(TrainConfig(device="cpu", epochs=(30, 1, 1))))
    low, high = again.expected.doubt
    assert low < 0.2 <= 1 <= high
    assert re.match(
        r"\d.* to \d.*, as busy as this computer is, for 32 epochs", again.lines()[0]
    )


def test_a_range_of_what_is_seen_says_nothing_if_it_may_be_enough(plan):
    from napari_patchmap.training.plan import _too_short

    short = replace(plan, minutes=0.2)
    slow = replace(short.expected, step=(60.0, 60.0, 60.0), before=(0.0, 0.0, 0.0), after=0.0)
    slow = replace(slow, settling=(0.0, 0.0, 0.0), layout=0.0, features=0.0, doubt=(1.0, 1.0))
    (sentence,) = _too_short(replace(short, expected=slow))
    assert "about" in sentence
    (sentence,) = _too_short(replace(short, expected=replace(slow, doubt=(0.5, 2.0))))
    assert re.search(r"sees \d+% to \d+% of the patches", sentence), sentence
    assert _too_short(replace(short, expected=replace(slow, doubt=(0.001, 1.0)))) == ()
    (sentence,) = _too_short(
        replace(short, patches=20, expected=replace(slow, step=(1.0,) * 3))
    )
    assert re.search(r"makes about \d+ steps, too few", sentence), sentence
