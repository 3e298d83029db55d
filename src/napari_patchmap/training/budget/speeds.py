"""What work really takes on this computer, remembered from run to run."""

from __future__ import annotations

import contextlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch

from napari_patchmap.methods.stage import Stage
from napari_patchmap.networks import NetworkSpec
from napari_patchmap.networks.device import Device
from napari_patchmap.patches.cache.cache_folder import cache_folder
from napari_patchmap.training.budget.pace import Pace
from napari_patchmap.training.progress import say_time
from napari_patchmap.writing import write_json

#: Steps after which the speed of a stage is worth remembering.
_ENOUGH = 20

#: What was seen of fewer patches tells nothing about others.
FEWEST = 500

#: Speeds that are kept, the latest ones.
_MOST = 300

#: What may take so many times as long as it may be short is said as a range.
_DOUBTFUL = 1.2

#: Between so many times as fast and as slow as elsewhere is what was never done here.
_GUESSED = 3.0


@dataclass(frozen=True)
class Seconds:
    """How long something takes.

    Parameters
    ----------
    likely : float
    low, high : float
        Between what and what it may be.
    """

    likely: float
    low: float
    high: float

    @classmethod
    def about(cls, likely: float, doubt: float = 1.0) -> Self:
        """A time that may be so many times as short or as long."""
        return cls(likely, likely / doubt, likely * doubt)

    @property
    def in_doubt(self) -> bool:
        """Whether it is to be said as a range."""
        return self.high > _DOUBTFUL * self.low and say_time(self.low) != say_time(self.high)

    def __str__(self) -> str:
        if self.in_doubt:
            return f"{say_time(self.low)} to {say_time(self.high)}"
        return f"about {say_time(self.likely)}"

    def __add__(self, other: Seconds) -> Seconds:
        return Seconds(self.likely + other.likely, self.low + other.low, self.high + other.high)

    def __mul__(self, factor: float) -> Seconds:
        return Seconds(self.likely * factor, self.low * factor, self.high * factor)


def seconds_of(work: str, guess: float) -> Seconds:
    """Return what a unit of some work took the last time, else a guess with its doubt."""
    known = recall(work)
    return Seconds.about(guess, _GUESSED) if known is None else Seconds.about(known)


def speeds_file() -> Path:
    """File of the remembered speeds; it may be deleted at any time."""
    return cache_folder() / "speeds.json"


def recall(work: str) -> float | None:
    """Return the seconds that a unit of some work took the last time; None if never done."""
    return _read().get(work)


def remember(seconds: dict[str, float]) -> None:
    """Keep the seconds that a unit of each of some works took."""
    known, path = _read(), speeds_file()
    for work, value in seconds.items():
        known.pop(work, None)
        known[work] = value
    with contextlib.suppress(OSError):  # a full or foreign disk: the next plan measures
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, dict(list(known.items())[-_MOST:]), flush=False)


def remember_steps(work: str, pace: Pace) -> None:
    """Keep how long a whole step of a stage takes, if steps were seen long enough."""
    if pace.done >= _ENOUGH and math.isfinite(pace.seconds_per_whole_step):
        remember({work: pace.seconds_per_whole_step})


def step_of(stage: Stage, spec: NetworkSpec, device: Device, batch: int) -> str:
    """Name a step of a stage, with ``batch`` patches, among the works of this computer."""
    learns = (
        batch, stage.trains, stage.objective, stage.optimiser, stage.dimensions,
    )  # fmt: skip
    return name_of(*_network(spec, device), *learns, torch.__version__)


def look_of(spec: NetworkSpec, device: Device) -> str:
    """Name the network's look at a patch in one orientation."""
    return name_of("look", *_network(spec, device), torch.__version__)


def compiling_of(spec: NetworkSpec, device: Device, batch: int) -> str:
    """Name the compiling of a network for steps of so many patches."""
    return name_of("compiling", *_network(spec, device), batch, torch.__version__)


def saving_of(patches: int) -> str:
    """Name the saving of a run of about so many patches: some of it is done once."""
    return name_of("saving", 2 ** round(math.log2(patches)))


def name_of(*parts: object) -> str:
    """Name some work by all that its speed depends on."""
    return " | ".join(map(str, parts))


def _network(spec: NetworkSpec, device: Device) -> tuple[object, ...]:
    height, width = spec.size
    seen = "" if spec.trained is None else str((spec.trained.size, spec.trained.channels))
    seen += spec.first_layer * (spec.first_layer != "learned")
    return device.reason, spec.backbone + seen, spec.channels, f"{height}x{width}"


def _read() -> dict[str, float]:
    try:
        found = json.loads(speeds_file().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        str(key): float(value)
        for key, value in found.items()
        if isinstance(value, (int, float)) and 0 < value < math.inf
    }
