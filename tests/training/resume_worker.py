"""Trains in processes of their own, to be killed: ``python -m ... resume_worker FOLDER``.

For each line that it is told, "anew" or "resume", it forks one and says its process id;
what is imported, which takes longer than all of the training, it imports once.
"""

from __future__ import annotations

import os
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


def train(folder: str, resume: bool) -> None:
    """Train and save."""
    with pytest.MonkeyPatch.context() as patch:
        narrow(patch)
        fit(make_cells(120), config(), folder=folder, resume=resume, progress=tell).save(folder)


if __name__ == "__main__":
    import torch._dynamo  # noqa: F401 - optimisers do

    while how := sys.stdin.readline().strip():
        child = os.fork()
        if child == 0:
            train(sys.argv[1], resume=how == "resume")
            sys.exit()
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"ended {os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()
