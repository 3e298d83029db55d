"""The real speed of steps on this computer, remembered from run to run."""

from __future__ import annotations

import contextlib
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from napari_patchmap.patches.cache.cache_folder import cache_folder
from napari_patchmap.writing import write_json

if TYPE_CHECKING:
    from napari_patchmap.methods.stage import Stage
    from napari_patchmap.networks import NetworkSpec
    from napari_patchmap.networks.device import Device
    from napari_patchmap.training.budget.pace import Pace

#: Steps after which the speed of a stage is worth remembering.
_ENOUGH = 20

#: Speeds that are kept, the latest ones.
_MOST = 200


def speeds_file() -> Path:
    """File of the remembered speeds; it may be deleted at any time."""
    return cache_folder() / "speeds.json"


def recall(stage: Stage, spec: NetworkSpec, device: Device, batch: int) -> float | None:
    """Return the seconds that a step of a stage took in the last run like this one.

    Parameters
    ----------
    stage : Stage
    spec : NetworkSpec
    device : Device
    batch : int
        Patches in a step.
    """
    return _read().get(_key(stage, spec, device, batch))


def remember(
    stage: Stage, spec: NetworkSpec, device: Device, batch: int, pace: Pace, parts: int
) -> None:
    """Keep how long a step of a stage took, if that was seen long enough.

    Parameters
    ----------
    stage : Stage
    spec : NetworkSpec
        As the run began.
    device : Device
    batch : int
        Patches in a step.
    pace : Pace
        At the end of the stage.
    parts : int
        Parts in which a step was computed; only whole steps are remembered.
    """
    seconds = pace.seconds_per_step
    if pace.done < _ENOUGH or not math.isfinite(seconds) or parts > 1:
        return
    known, key = _read(), _key(stage, spec, device, batch)
    known.pop(key, None)
    known[key] = seconds
    path = speeds_file()
    with contextlib.suppress(OSError):  # a full or foreign disk: the next plan measures
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, dict(list(known.items())[-_MOST:]), flush=False)


def _key(stage: Stage, spec: NetworkSpec, device: Device, batch: int) -> str:
    height, width = spec.size
    parts = (
        device.reason, spec.backbone, spec.channels, f"{height}x{width}", batch, stage.trains,
        stage.objective, stage.optimiser, stage.dimensions, torch.__version__,
    )  # fmt: skip
    return " | ".join(map(str, parts))


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
