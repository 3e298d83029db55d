"""What a stage learns from is decided in one place, and what is not known is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from napari_patchmap.errors import ConfigError, TrainingError
from napari_patchmap.methods.catalog import METHODS
from napari_patchmap.methods.objectives import Objective, ViewsObjective
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import make_plan
from napari_patchmap.training.budget.estimate import Speed
from napari_patchmap.training.distributed.ranks import Ranks
from napari_patchmap.training.learners import LEARNERS, learner_of
from napari_patchmap.training.step import SummedGradient

TWO = Ranks(rank=0, world=2, device="cpu")


@dataclass(frozen=True)
class Another(ViewsObjective):
    """Nobody knows how to learn from this, although it is like what is known."""


def stage(method="tsimcne", number=0):
    made = METHODS[method]
    return made.make_recipe("compact", (1.0,) * len(made.stages), 64).stages[number]


def test_each_learner_serves_an_objective_of_its_own_and_says_what_it_costs():
    served = [learner.objective for learner in LEARNERS]
    assert len(set(served)) == len(served)
    for learner in LEARNERS:
        assert issubclass(learner.objective, Objective)
        assert learner.gradient_kind is not None
    speed = Speed(train=4.0, look=1.0, head=0.5, memory=1)
    seconds = [
        learner_of(s).step_seconds(speed, s)
        for s in (stage("simclr"), stage("tsimcne", 1), stage("dino"))
    ]
    assert seconds[1] < seconds[0] < seconds[2]


def test_an_objective_that_nobody_serves_is_refused():
    with pytest.raises(TrainingError, match="No learner serves Another, which the stage"):
        learner_of(replace(stage(), objective=Another()))


def test_a_head_that_there_is_not_is_refused():
    with pytest.raises(ConfigError, match="no network head 'antlers'; there are projector"):
        NetworkSpec("compact", 3, (16, 16), head="antlers")
    saved = NetworkSpec("compact", 3, (16, 16)).to_dict() | {"head": "antlers"}
    with pytest.raises(ConfigError, match="antlers"):
        NetworkSpec.from_dict(saved)


def test_what_cannot_be_shared_between_processes_is_not_trained_by_several(cells, monkeypatch):
    monkeypatch.setattr(Ranks, "least", lambda self, number: number)
    config = RunConfig(TrainConfig(method="dino", device="cpu"))
    with pytest.raises(TrainingError, match="DINO trains in one process only; start patchmap"):
        make_plan(cells, config, TWO)
    assert make_plan(cells, RunConfig(TrainConfig(device="cpu")), TWO).recipe.stages
    # A new learner has to say that it can.
    monkeypatch.setattr(learner_of(stage()), "shares_batches", False)
    with pytest.raises(TrainingError, match="t-SimCNE trains in one process only"):
        make_plan(cells, RunConfig(TrainConfig(device="cpu")), TWO)


def test_a_mean_over_patches_is_refused_where_each_process_would_compute_all_of_it():
    network = Network(NetworkSpec("compact", 3, (16, 16)))
    with pytest.raises(TrainingError, match="not shared between processes"):
        SummedGradient(network, TWO, note=print)
