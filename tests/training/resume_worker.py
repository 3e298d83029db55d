"""Trains in a process of its own, to be killed: ``python resume_worker.py FOLDER RESUME``."""

from __future__ import annotations

import sys

import pytest

from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import Progress, fit
from tests.conftest import make_cells
from tests.narrow import narrow


def config() -> RunConfig:
    """Every stage of the compact recipe, a checkpoint after every step."""
    return RunConfig(
        TrainConfig(epochs=(6, 8, 4), batch_size=32, device="cpu", seed=5, checkpoint_every=0.0)
    )


def tell(_: Progress) -> None:
    """Let the test know that the training goes on."""
    sys.stdout.write("x\n")
    sys.stdout.flush()


if __name__ == "__main__":
    folder, resume = sys.argv[1], sys.argv[2] == "resume"
    with pytest.MonkeyPatch.context() as patch:
        narrow(patch)
        fit(make_cells(120), config(), folder=folder, resume=resume, progress=tell).save(folder)
