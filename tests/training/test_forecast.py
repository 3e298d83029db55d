"""The time left: exact where the plan is, corrected by what is seen, and never backwards."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_patchmap.layout.tsne import Tsne
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit, make_plan
from napari_patchmap.training.budget.forecast import Forecast
from napari_patchmap.training.budget.layout_time import LayoutTime
from napari_patchmap.training.budget.speeds import Seconds
from tests.conftest import make_cells


class Watch:
    """A clock that is set by hand."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def plan():
    return make_plan(make_cells(), RunConfig(TrainConfig(device="cpu", epochs=(3, 6, 1))))


def parts(plan):
    """Every part of the plan with its seconds, in order."""
    return [(*key, part.seconds.likely) for key, part in plan.times.parts.items()]


def test_a_run_as_planned_is_foretold_exactly(plan):
    clock, whole = Watch(), sum(seconds for _, _, seconds in parts(plan))
    assert whole == pytest.approx(plan.seconds)
    forecast, fractions = Forecast(plan.times, clock), []
    for part, number, seconds in parts(plan):
        forecast.state(part, number, 0.0)
        for tenth in range(1, 11):
            clock.now += seconds / 10
            fraction, left = forecast.state(part, number, tenth / 10)
            assert left == pytest.approx(whole - clock.now, abs=1e-6)
            assert fraction == pytest.approx(clock.now / whole)
            fractions.append(fraction)
    assert fractions == sorted(fractions)


def test_only_parts_of_the_same_kind_are_expected_to_be_as_slow(plan):
    forecast = Forecast(plan.times, Watch())
    seconds = {(part, number): s for part, number, s in parts(plan)}
    begun = (("reading", 0), ("before", 0), ("steps", 0))
    rest = plan.seconds - sum(seconds[key] for key in begun)
    # Stages 1 and 3 train the whole network, stage 2 learns from cached features.
    _, left = forecast.state("steps", 0, 0.5, 2.0)
    alike = seconds["steps", 2]
    assert left == pytest.approx(seconds["steps", 0] + rest + alike)
    _, left = forecast.state("steps", 1, 0.5, 10.0)
    later = [
        seconds[k]
        for k in (
            ("settling", 1),
            ("before", 2),
            ("settling", 2),
            ("features", 0),
            ("layout", 0),
            ("measuring", 0),
            ("identifying", 0),
            ("saving", 0),
        )
    ]
    assert left == pytest.approx(5 * seconds["steps", 1] + 2 * alike + sum(later))


def test_by_the_clock_training_ends_when_its_time_is_up(plan):
    clock = Watch()
    forecast = Forecast(plan.times, clock)
    forecast.end, clock.now = 100.0, 40.0
    _, left = forecast.state("steps", 1, 0.1, 7.0)
    kinds = ("features", "layout", "measuring", "identifying", "saving")
    after = sum(plan.times.seconds(kind).likely for kind in kinds)
    after += plan.times.seconds("settling", 2).likely
    assert left == pytest.approx(60 + after)
    # Time in between is part of the budget, too; what comes after it is not.
    assert forecast.state("settling", 0)[1] == pytest.approx(left)
    _, left = forecast.state("settling", 2, 0.0)
    assert left == pytest.approx(after)


def test_where_only_time_tells_it_is_told_by_time(plan):
    clock = Watch()
    forecast = Forecast(plan.times, clock)
    _, first = forecast.state("measuring")
    clock.now += 0.2
    assert forecast.state("measuring")[1] == pytest.approx(first - 0.2)
    clock.now += 1000  # far longer than expected: soon over, but not over
    assert 0 < forecast.state("measuring")[1] < first


def test_a_whole_run_always_says_how_long_it_takes():
    said = []
    config = RunConfig(TrainConfig(device="cpu", epochs=(2, 4, 1), batch_size=20))
    fit(make_cells(), config, progress=said.append)
    begun = [report for report in said if report.phase not in ("preparing", "reading patches")]
    assert all(report.seconds_left >= 0 for report in begun)
    fractions = [report.fraction for report in said]
    assert fractions == sorted(fractions)
    phases = " ".join(dict.fromkeys(report.phase for report in said))
    for wanted in ("stage 2 of 3: looking at 60 of 60 patches", "laying out a first map",
                   "placing all patches", "measuring quality"):  # fmt: skip
        assert wanted in phases


def test_where_nothing_is_trained_the_time_that_was_given_is_not_used_up():
    config = TrainConfig(method="pixels", device="cpu", minutes=600)
    plan = make_plan(make_cells(), RunConfig(config))
    assert plan.seconds < 3600
    assert "600 min" not in plan.lines()[0]


def test_what_parts_took_is_seen(plan):
    clock = Watch()
    forecast = Forecast(plan.times, clock)
    for kind in ("reading", "before", "steps", "features"):
        forecast.state(kind)
        clock.now += 3.0
        forecast.state(kind)
        clock.now += 1.0
    forecast.finish()
    assert forecast.seen == {(k, 0): 4.0 for k in ("reading", "before", "steps", "features")}


def test_neighbours_before_the_first_iteration_do_not_count_for_a_tsne():
    clock, tsne = Watch(), Tsne(last_exaggeration=2.0)
    timed = LayoutTime(tsne, 100, clock)
    usual = timed.last()
    clock.now = 30.0  # neighbours
    timed.note(10)
    assert timed.last() == usual  # as expected, while little is known
    clock.now = 31.0
    timed.note(20)
    assert timed.last() == usual
    for done in range(30, 260, 10):
        clock.now += 1.0
        timed.note(done)
    assert timed.last() == pytest.approx(100 / 10 * 4, rel=0.01)  # each four times as long


def test_a_run_with_a_time_budget_counts_by_it_from_the_first_report_on():
    """A run that is resumed, or took long to load, must not begin with a bar that is full."""
    config = RunConfig(TrainConfig(device="cpu", minutes=60.0))
    plan, clock = make_plan(make_cells(), config), Watch()
    forecast, clock.now = Forecast(plan.times, clock), 30.0
    forecast.begin("reading")
    clock.now = 40.0
    forecast.finish()
    forecast.end = plan.times.training_due(clock())
    fraction, left = forecast.state("steps", 0, 0.0, 1.0)
    assert fraction == pytest.approx(40 / 3600, rel=0.1)
    assert left == pytest.approx(3560, rel=0.1)
    assert forecast.seen == {("reading", 0): 10.0}


def test_whatever_comes_after_them_steps_get_their_share_of_the_time(plan):
    slow = replace(plan.times.parts["measuring", 0], seconds=Seconds.about(400.0))
    times = replace(
        plan.times, budget=300.0, parts={**plan.times.parts, ("measuring", 0): slow}
    )
    assert times.map_due < 0
    assert times.training_due(50.0) == pytest.approx(50 + 0.4 * 250)
