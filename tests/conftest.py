"""Small patch sets and small networks for all tests; none of this needs Qt or a display."""

from __future__ import annotations

import gc
import itertools
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.box_table import box_table
from napari_patchmap.runs import Run
from napari_patchmap.runs.identity import identify
from napari_patchmap.runs.image_kind import ImageKind
from napari_patchmap.training import trainer
from napari_patchmap.training.budget import estimate
from napari_patchmap.training.budget.pace import Clock
from napari_patchmap.training.feed import Fed
from napari_patchmap.training.plan import Plan
from napari_patchmap.training.stage_run import StageRun, StepMade
from tests.narrow import narrow, widen

#: Folders of tests whose files take long, the longest first; the others are quick.
_LONG = ("training", "networks", "tests", "plugin")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run one process more than there are cores, for tests of windows often wait."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else 3


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no process is left alone with it in the end."""
    rank = {name: place for place, name in enumerate(_LONG)}
    items.sort(key=lambda item: rank.get(item.path.parent.name, len(rank)))


def make_cells(count: int = 60, side: int = 16, seed: int = 0) -> PatchSet:
    """Draw cells of three kinds that a tiny network can tell apart: spot, ring, bar."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / (side - 1) * 2 - 1
    kinds = np.arange(count) % 3
    images = np.empty((count, side, side, 3), np.uint8)
    for image, kind in zip(images, kinds, strict=True):
        radius = np.hypot(y, x) + rng.normal(0, 0.05, y.shape)
        shape = (radius < 0.5, np.abs(radius - 0.6) < 0.15, np.abs(x) < 0.25)[kind]
        colour = np.array([(200, 60, 60), (60, 160, 70), (70, 80, 190)][kind])
        image[:] = np.where(shape[..., None], colour, (235, 230, 220))
        image[:] = np.clip(image + rng.normal(0, 6, image.shape), 0, 255)
    table = box_table("drawn", np.arange(count), np.full((count, 2), side))
    table["label"] = np.array(["spot", "ring", "bar"], dtype=object)[kinds]
    return PatchSet(images, table, ("red", "green", "blue"), name="drawn cells")


def run_of(base: Run, patches: PatchSet) -> Run:
    """Make a run of any patches, as many as another one has or less, without training."""
    return replace(
        base.picked(np.arange(len(patches))),
        table=patches.table,
        images=ImageKind.of(patches),
        name=patches.name,
        origin=patches.origin,
        known=identify(patches),
    )


@pytest.fixture
def cells() -> PatchSet:
    """Sixty drawn cells of three kinds, 16 px, with labels."""
    return make_cells()


@pytest.fixture(scope="session", autouse=True)
def _narrow_network() -> Iterator[None]:
    """Train narrow networks, for what is around a network does not depend on its size."""
    with pytest.MonkeyPatch.context() as patch:
        narrow(patch)
        yield


@pytest.fixture
def whole_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train the compact network as people do."""
    widen(monkeypatch)


@pytest.fixture(autouse=True)
def _one_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure the speed of each network once, and not again for each test."""
    monkeypatch.setattr(estimate, "_HOLDS", np.inf)


@pytest.fixture(scope="module", autouse=True)
def _few_objects_to_sift() -> None:
    """Leave what libraries made out of the collections that each training ends with."""
    gc.collect()
    gc.freeze()


class Steps:
    """Counts how often a run asks whether to stop once it is planned, and stops it in the end.

    It asks before each step. ``given`` are arguments of ``fit``; the ``way`` to stop it may be
    ``should_leave`` as well.
    """

    def __init__(self, most: float = np.inf, way: str = "should_stop") -> None:
        self.asked, self._most, self._planned = 0, most, False
        self.given: dict[str, Any] = {way: self._ask, "planned": self._begin}

    def _begin(self, _: Plan) -> None:
        self._planned = True

    def _ask(self) -> bool:
        self.asked += self._planned
        return self.asked > self._most


class HandClock(Clock):
    """The clock of a run that a test moves on."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(now=lambda: self.now)


@pytest.fixture
def hand_clock(monkeypatch: pytest.MonkeyPatch) -> HandClock:
    """Let a step of a run take 0.1 seconds, and all else what the test adds to it."""
    clock, step = HandClock(), StageRun._step

    def timed(self: StageRun, fed: Fed) -> StepMade:
        made = step(self, fed)
        clock.now += 0.1
        return made

    monkeypatch.setattr(StageRun, "_step", timed)
    monkeypatch.setattr(trainer, "Clock", lambda spent: clock)
    return clock


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders of their own for all tests, one after the other.

    To number those that lie side by side, pytest looks through all of them each time.
    """
    base = tmp_path_factory.mktemp("homes")
    return (base / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def _own_data_folder(_homes: Iterator[Path]) -> Iterator[None]:
    """Keep runs that tests save out of the user's own data folder."""
    home = next(_homes)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DATA", "CACHE", "CONFIG"):
            folder = home / name.lower()
            folder.mkdir(parents=True)
            patch.setenv(f"XDG_{name}_HOME", str(folder))
        yield
