"""Counting, timing and telling what a run does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from torch import Tensor

from napari_patchmap.training.pace import Pace
from napari_patchmap.training.progress import Progress, ProgressCallback

if TYPE_CHECKING:
    import numpy as np

    from napari_patchmap.methods.stage import Stage
    from napari_patchmap.training.plan import Plan

#: Seconds between two reports.
_EVERY = 0.4

_COLUMNS = ("stage", "epoch", "loss", "lr", "views_per_second", "seconds")


class Reporter:
    """Keeps the history of a run and calls the progress callback now and then.

    Losses are summed on the device and fetched only for a report, so that the
    GPU is never waited for in between.

    Parameters
    ----------
    progress : callable or None
    began : float
        When the run began, by ``time.monotonic``.
    """

    def __init__(self, progress: ProgressCallback | None, began: float) -> None:
        self.began = began
        self._progress = progress
        self._rows: list[dict[str, Any]] = []
        self._last = Progress("preparing")
        self._plan: Plan | None = None

    def say(self, phase: str) -> None:
        """Report a phase that is not a training step."""
        self._tell(Progress(phase, fraction=self._last.fraction, seconds=self._seconds()))

    def begin_stage(self, number: int, plan: Plan, end: float | None) -> None:
        """Start counting a stage (from 0) of a plan."""
        self._plan, self._number, self._end = plan, number, end
        self._loss = torch.zeros((), device=plan.device.target)
        self._counted = 0
        self._epoch_loss = torch.zeros((), device=plan.device.target)
        self._epoch_steps = 0
        self._epoch_began = self._told = time.monotonic()
        self._made = 0

    def step(self, loss: Tensor, lr: float, pace: Pace, batch_size: int) -> None:
        """Count a step; report if it is time to."""
        assert self._plan is not None
        self._loss += loss
        self._epoch_loss += loss
        self._counted += 1
        self._epoch_steps += 1
        self._made = pace.done
        self._lr = lr
        now = time.monotonic()
        if self._epoch_steps * batch_size >= self._plan.patches:
            self._end_epoch(now)
        if now - self._told >= _EVERY or pace.done == 1:
            mean = float(self._loss) / self._counted
            speed = 2 * batch_size * self._counted / max(1e-9, time.monotonic() - self._told)
            self._loss.zero_()
            self._counted = 0
            self._told = time.monotonic()
            self._tell(self._state(mean, lr, speed, pace))

    def snapshot(self, embedding: np.ndarray) -> None:
        """Report the map as it is now."""
        self._tell(
            Progress(**{**vars(self._last), "embedding": embedding, "seconds": self._seconds()})
        )

    def end_stage(self, pace: Pace) -> None:
        """Close the history of a stage."""
        if self._epoch_steps:
            self._end_epoch(time.monotonic())

    def history(self) -> pd.DataFrame:
        """One row an epoch: stage, epoch, loss, lr, views_per_second, seconds."""
        return pd.DataFrame(self._rows, columns=list(_COLUMNS))

    def _end_epoch(self, now: float) -> None:
        assert self._plan is not None
        size = self._plan.batch_size
        self._rows.append(
            {
                "stage": self._number + 1,
                "epoch": round(self._made * size / self._plan.patches, 3),
                "loss": float(self._epoch_loss) / self._epoch_steps,
                "lr": self._lr,
                "views_per_second": round(
                    2 * size * self._epoch_steps / max(1e-9, now - self._epoch_began), 1
                ),
                "seconds": round(self._seconds(), 2),
            }
        )
        self._epoch_loss.zero_()
        self._epoch_steps = 0
        self._epoch_began = now

    def _state(self, loss: float, lr: float, speed: float, pace: Pace) -> Progress:
        assert self._plan is not None
        plan, number = self._plan, self._number
        stages = plan.recipe.stages
        per_epoch = plan.batch_size / plan.patches
        if self._end is not None:
            left = max(0.0, self._end - time.monotonic())
            total = plan.minutes * 60 if plan.minutes else 1.0
            fraction = 1 - left / max(left, total)
        else:
            weights = [plan.steps(i) * _cost(stage) for i, stage in enumerate(stages)]
            done = sum(weights[:number]) + weights[number] * pace.fraction
            fraction = done / sum(weights)
            here = pace.seconds_per_step / _cost(stages[number])
            left = here * (sum(weights) - done)
        return Progress(
            phase=f"stage {number + 1} of {len(stages)}: {stages[number].name}",
            stage=number + 1,
            stages=len(stages),
            epoch=pace.done * per_epoch,
            epochs=pace.steps * per_epoch,
            fraction=min(1.0, fraction),
            loss=loss,
            lr=lr,
            views_per_second=speed,
            seconds=self._seconds(),
            seconds_left=left,
        )

    def _tell(self, progress: Progress) -> None:
        self._last = Progress(**{**vars(progress), "embedding": None})
        if self._progress is not None:
            self._progress(progress)

    def _seconds(self) -> float:
        return time.monotonic() - self.began


def _cost(stage: Stage) -> float:
    """How long a step takes compared with one that trains everything."""
    if stage.cached_views:
        return 0.15
    return 1.0 if stage.trains == "all" else 0.4
