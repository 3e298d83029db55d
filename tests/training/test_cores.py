"""How many threads compute, with work whose time is as the test says."""

from __future__ import annotations

import itertools
import threading

import pytest
import torch

from napari_patchmap.training.cores import Cores


class Computer:
    """Two cores, of which other programs may take one; and a clock."""

    def __init__(self):
        self.now, self.busy, self.looks = 0.0, False, 0

    def clock(self):
        return self.now

    def probe(self, threads):
        self.looks += 1
        if self.busy:
            return {1: 1.0, 2: 2.5}[threads]
        return {1: 1.0, 2: 0.55}[threads]

    def step(self, cores):
        seconds = self.probe(cores.now)
        self.now += seconds
        cores.step(seconds)


@pytest.fixture
def computer(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield Computer()
    torch.set_num_threads(before)


def cores_of(computer, **given):
    return Cores(clock=computer.clock, probe=computer.probe, **given)


def test_all_threads_compute_on_a_quiet_computer(computer):
    cores, notes = cores_of(computer), []
    with cores.chosen():
        cores.tell(notes.append)
        for _ in range(200):
            computer.step(cores)
            assert cores.now == torch.get_num_threads() == 2
    assert notes == []


def test_one_thread_computes_while_another_program_takes_a_core(computer):
    cores, notes = cores_of(computer), []
    computer.busy = True
    with cores.chosen():
        assert torch.get_num_threads() == 1
        cores.tell(notes.append)
        for _ in range(100):
            computer.step(cores)
        assert cores.now == 1
        computer.busy = False
        for _ in range(100):
            computer.step(cores)
        assert cores.now == torch.get_num_threads() == 2
    assert len(notes) == 1
    assert "1 of 2 threads" in notes[0]


def test_a_program_that_begins_later_is_noticed_by_slow_steps(computer):
    cores = cores_of(computer)
    with cores.chosen():
        for _ in range(60):
            computer.step(cores)
        computer.busy = True
        for _ in range(5):
            computer.step(cores)
        assert cores.now == 1


def test_a_moment_of_other_work_changes_nothing(computer):
    cores = cores_of(computer)
    with cores.chosen():
        for _ in range(60):
            computer.step(cores)
        computer.busy = True
        computer.step(cores)
        computer.busy = False
        for _ in range(60):
            computer.step(cores)
            assert cores.now == 2


def test_more_threads_that_only_seemed_faster_are_given_up(computer):
    computer.busy = True
    cores = Cores(clock=computer.clock, probe=lambda n: {1: 1.0, 2: 2.5}[n])
    with cores.chosen():
        for _ in range(30):
            computer.step(cores)
        assert cores.now == 1
        # The measurement falls into a moment in which the other program rests.
        cores._probe = lambda n: {1: 1.0, 2: 0.5}[n]
        seen = set()
        for _ in range(60):
            computer.step(cores)
            seen.add(cores.now)
        assert seen == {1, 2}
        ones = sum(_stepped(computer, cores) == 1 for _ in range(100))
        assert ones > 80


def test_more_threads_are_tried_where_only_steps_show_that_they_are_faster(computer):
    """Beside a window few short operations gain nothing by two threads, but steps do."""
    cores, notes = Cores(clock=computer.clock, probe=lambda n: {1: 1.0, 2: 1.3}[n]), []
    with cores.chosen():
        cores.tell(notes.append)
        assert cores.now == 1
        used = [_stepped(computer, cores) for _ in range(150)]
    assert used[20:].count(2) > 120
    assert sum(a != b for a, b in itertools.pairwise(used[20:])) < 12


def test_fewer_threads_that_only_seemed_faster_are_given_up(computer):
    wrong = iter([])
    cores = Cores(clock=computer.clock, probe=lambda n: next(wrong, {1: 1.0, 2: 0.55}[n]))
    notes = []
    with cores.chosen():
        cores.tell(notes.append)
        for _ in range(30):
            computer.step(cores)
        wrong = iter([0.1, 1.0] * 4)  # measurements in which one thread looks faster
        used = [_stepped(computer, cores) for _ in range(100)]
    assert used.count(1) < 5
    assert notes == []


def _stepped(computer, cores):
    used = cores.now
    computer.step(cores)
    return used


def test_threads_that_the_person_has_set_are_kept(computer, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    computer.busy = True
    cores = cores_of(computer)
    with cores.chosen():
        for _ in range(20):
            computer.step(cores)
        assert cores.now == torch.get_num_threads() == 2


def test_threads_to_come_have_all_cores_again(computer):
    computer.busy = True
    found = []
    with cores_of(computer).chosen():
        assert torch.get_num_threads() == 1
    thread = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert found == [2]


def test_measuring_leaves_randomness_and_gradients_alone(computer):
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    with Cores().chosen():
        assert torch.is_grad_enabled()
    assert torch.equal(torch.rand(4), expected)
