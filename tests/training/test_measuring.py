"""Measuring a network asks whether to end, and what is half measured is not remembered."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_patchmap.errors import TrainingStopped
from napari_patchmap.networks import NetworkSpec
from napari_patchmap.networks.backbones import Compact
from napari_patchmap.networks.device import choose_device
from napari_patchmap.patches.watch import LoadCancelled, Watch
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.runs.checkpoint import state_file
from napari_patchmap.training import fit
from napari_patchmap.training.budget.estimate import measure_speed
from napari_patchmap.training.budget.speeds import speeds_file
from napari_patchmap.training.planning import plan_alone
from tests.conftest import Steps, make_cells

CPU = choose_device("cpu", "float32")


class Person:
    """Says that it is enough when asked for the n-th time."""

    def __init__(self, patience: float = np.inf) -> None:
        self.asked, self._patience = 0, patience
        self.watch = Watch(should_stop=self)

    def __call__(self) -> bool:
        self.asked += 1
        return self.asked > self._patience


@pytest.fixture
def passes():
    """The passes of compact networks that are made."""
    made: list[torch.nn.Module] = []

    def note(module: torch.nn.Module, _: object) -> None:
        if isinstance(module, Compact):
            made.append(module)

    handle = torch.nn.modules.module.register_module_forward_pre_hook(note)
    yield made
    handle.remove()


def test_a_measurement_may_end_before_each_pass_and_only_a_whole_one_is_kept(passes):
    spec = NetworkSpec("compact", 3, (13, 11), hidden=(16,), norm=True, out_dim=8)
    for patience in range(100):
        passes.clear()
        person = Person(patience)
        try:
            found = measure_speed(person.watch, spec, CPU, 8)
        except LoadCancelled:
            assert len(passes) <= patience  # none after it was said
        else:
            break
    assert patience >= 8
    assert len(passes) >= 5  # all of them, although so many had been made before
    assert min(found.train, found.look, found.head) > 0
    again = Person(0)
    assert measure_speed(again.watch, spec, CPU, 8) == found
    assert again.asked == 0


@pytest.mark.parametrize("method", ["tsimcne", "pixels"])
def test_a_plan_may_be_given_up_at_any_time(method, monkeypatch):
    monkeypatch.setattr("napari_patchmap.training.budget.estimate._HOLDS", -1.0)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    cells, config = make_cells(24, 12), RunConfig(TrainConfig(method=method, device="cpu"))
    threads = torch.get_num_threads()
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    for patience in (0, 1, 3, 5):
        with pytest.raises(LoadCancelled):
            plan_alone(cells, config, Person(patience).watch)
        assert torch.get_num_threads() == threads
    assert torch.equal(torch.rand(2), expected)
    assert not speeds_file().exists()


def test_who_stops_a_training_while_it_is_planned_gets_no_map_of_nothing(cells, tmp_path):
    config = RunConfig(TrainConfig(device="cpu", epochs=(1, 1, 1), batch_size=20))
    for way in ("should_stop", "should_leave"):
        planned: list[object] = []
        with pytest.raises(TrainingStopped, match="Stopped before there was a map"):
            fit(
                cells,
                config,
                folder=tmp_path / "run",
                planned=planned.append,
                **{way: lambda: True},
            )
        assert planned == []
        assert list(tmp_path.glob("run/*")) == []
    # A run that is resumed stays where it was.
    fit(cells, config, folder=tmp_path / "run", **Steps(2).given)
    before = state_file(tmp_path / "run").read_bytes()
    with pytest.raises(TrainingStopped):
        fit(cells, folder=tmp_path / "run", resume=True, should_stop=lambda: True)
    assert state_file(tmp_path / "run").read_bytes() == before
    assert fit(cells, folder=tmp_path / "run", resume=True).complete
