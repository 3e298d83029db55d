"""The time left: exact where the plan is, corrected by what is seen, and never backwards."""

from __future__ import annotations

import pytest

from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit, make_plan
from napari_patchmap.training.budget.forecast import Forecast
from napari_patchmap.training.budget.pace import LayoutPace
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
    expected = plan.expected
    for i in range(len(plan.recipe.stages)):
        yield "before", i, expected.before[i]
        yield "steps", i, plan.steps(i) * expected.step[i]
        yield "settling", i, expected.settling[i]
    yield "features", 0, expected.features
    yield "layout", 0, expected.layout
    yield "measuring", 0, expected.after - expected.features


def test_a_run_as_planned_is_foretold_exactly(plan):
    clock, whole = Watch(), sum(seconds for _, _, seconds in parts(plan))
    assert whole == pytest.approx(plan.seconds)
    forecast, fractions = Forecast(plan, clock), []
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
    forecast = Forecast(plan, Watch())
    seconds = {(part, number): s for part, number, s in parts(plan)}
    rest = plan.seconds - seconds["before", 0] - seconds["steps", 0]
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
        )
    ]
    assert left == pytest.approx(5 * seconds["steps", 1] + 2 * alike + sum(later))


def test_by_the_clock_training_ends_when_its_time_is_up(plan):
    clock = Watch()
    forecast = Forecast(plan, clock)
    forecast.end, clock.now = 100.0, 40.0
    _, left = forecast.state("steps", 1, 0.1, 7.0)
    expected = plan.expected
    assert left == pytest.approx(60 + expected.settling[-1] + expected.layout + expected.after)
    # Time in between is part of the budget, too; what comes after it is not.
    assert forecast.state("settling", 0)[1] == pytest.approx(left)
    _, left = forecast.state("settling", 2, 0.0)
    assert left == pytest.approx(expected.settling[-1] + expected.layout + expected.after)


def test_where_only_time_tells_it_is_told_by_time(plan):
    clock = Watch()
    forecast = Forecast(plan, clock)
    _, first = forecast.state("measuring")
    clock.now += 0.5
    assert forecast.state("measuring")[1] == pytest.approx(first - 0.5)
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


def test_neighbours_before_the_first_iteration_do_not_count_for_a_tsne():
    clock = Watch()
    pace = LayoutPace(clock, 100.0)
    clock.now = 30.0  # neighbours
    assert pace.seconds(0.01, 0.2) == pytest.approx(20.0)  # as expected, while little is known
    clock.now = 31.0
    assert pace.seconds(0.02, 0.2) == pytest.approx(20.0)
    clock.now = 50.0  # 0.4 of it took 20 seconds
    assert pace.seconds(0.41, 0.2) == pytest.approx(10.0)
