"""Counting, timing and telling what a run does."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from napari_patchmap.runs.looks import Looks
from napari_patchmap.training.budget.forecast import Forecast
from napari_patchmap.training.budget.pace import Clock, Pace
from napari_patchmap.training.budget.timetable import PartKind
from napari_patchmap.training.plan import Plan
from napari_patchmap.training.progress import Progress, ProgressCallback

#: Seconds between two reports.
_EVERY = 0.4

_COLUMNS = ("stage", "epoch", "loss", "lr", "views_per_second", "seconds")


class Reporter:
    """Keeps the history of a run and calls the progress callback now and then.

    Losses are summed on the device and fetched only for a report, so that a GPU
    is not waited for in between.
    """

    def __init__(self, progress: ProgressCallback | None, clock: Clock, plan: Plan) -> None:
        self.notes: list[str] = []
        self._progress, self._clock, self._plan = progress, clock, plan
        self._rows: list[dict[str, Any]] = []
        #: Looks at the map, for a film of it.
        self.looks = Looks()
        self._last = Progress("preparing")
        self._number = 0
        self.forecast = Forecast(plan.times, clock)
        self._lr = 0.0
        self._made = 0
        self._epoch_steps = 0

    def say(self, phase: str) -> None:
        """Report a phase that is not a training step."""
        self._tell(Progress(phase, fraction=self._last.fraction))

    def reading(self) -> None:
        """Report that pixels are read."""
        self.forecast.begin("reading")
        self.say("reading patches")

    def preparing(
        self, part: Literal["before", "first layout"], phase: str, share: float
    ) -> None:
        """Report what comes before the first step of a stage; ``share`` of it is done."""
        number, stages = self._number, len(self._plan.recipe.stages)
        said = Progress(f"stage {number + 1} of {stages}: {phase}", number + 1, stages)
        self._tell_where(said, part, number, share)

    def settling(self) -> None:
        """Report what follows the last step of a stage: statistics of the network."""
        self._tell_where(self._last, "settling", self._number)

    def judging(self) -> None:
        """Report that it is measured whether a stage helped."""
        number, stages = self._number, len(self._plan.recipe.stages)
        phase = f"stage {number + 1} of {stages}: asking whether it helped"
        self._tell_where(replace(self._last, phase=phase), "judging", number)

    def finishing(
        self,
        part: Literal["features", "layout", "measuring"],
        phase: str,
        share: float = math.nan,
        embedding: np.ndarray | None = None,
    ) -> None:
        """Report what comes after the last stage, and perhaps the map as it is."""
        self._tell_where(Progress(phase, embedding=embedding), part, share=share)

    def note(self, sentence: str) -> None:
        """Report something that people should know, and keep it with the run."""
        self.notes.append(sentence)
        if self._progress is not None:
            self._progress(replace(self._last, note=sentence, seconds=self._clock()))

    def begin_stage(self, number: int, end: float | None) -> None:
        """Start counting a stage (from 0); ``end`` is when all training must be over."""
        device = self._plan.device.target
        self._number, self.forecast.end = number, end
        self._recent = _Mean(device)
        self._epoch = torch.zeros((), device=device)
        self._epoch_steps, self._made = 0, 0
        self._epoch_began = self._clock()

    def step(self, loss: Tensor, lr: float, pace: Pace, batch_size: int) -> None:
        """Count a step; report if it is time to."""
        self._recent.add(loss)
        self._epoch += loss
        self._epoch_steps += 1
        self._made, self._lr = pace.done, lr
        if self._epoch_steps * batch_size >= self._plan.patches:
            self._end_epoch()
        found = self._recent.take(at_once=pace.done == 1)
        if found is not None:
            mean, steps_per_second = found
            self._tell_step(mean, lr, 2 * batch_size * steps_per_second, pace)

    def snapshot(self, embedding: np.ndarray) -> None:
        """Report the map as it is now."""
        self._tell(replace(self._last, embedding=embedding))

    def end_stage(self) -> None:
        """Close the history of a stage."""
        if self._epoch_steps:
            self._end_epoch()

    def history(self) -> pd.DataFrame:
        """One row an epoch: stage, epoch, loss, lr, views_per_second, seconds."""
        return pd.DataFrame(self._rows, columns=list(_COLUMNS))

    def state(self) -> dict[str, Any]:
        """Return what :meth:`restore` needs."""
        inside = self._epoch_steps > 0
        return {
            "rows": list(self._rows),
            "notes": list(self.notes),
            "epoch_loss": float(self._epoch) if inside else 0.0,
            "epoch_steps": self._epoch_steps,
            "looks": self.looks.state(),
        }

    def restore(self, state: dict[str, Any], *, inside: bool) -> None:
        """Go on with the history of an interrupted run, perhaps inside of a stage."""
        if not inside:
            self._rows, self.notes = list(state["rows"]), list(state["notes"])
            if "looks" in state:  # of a run that an older version began there are none
                self.looks.restore(state["looks"])
        else:
            self._epoch.fill_(state["epoch_loss"])
            self._epoch_steps = int(state["epoch_steps"])

    def _end_epoch(self) -> None:
        size, now = self._plan.batch_size, self._clock()
        self._rows.append(
            {
                "stage": self._number + 1,
                "epoch": round(self._made * size / self._plan.patches, 3),
                "loss": float(self._epoch) / self._epoch_steps,
                "lr": self._lr,
                "views_per_second": round(
                    2 * size * self._epoch_steps / max(1e-9, now - self._epoch_began), 1
                ),
                "seconds": round(now, 2),
            }
        )
        self._epoch.zero_()
        self._epoch_steps = 0
        self._epoch_began = now

    def _tell_step(self, loss: float, lr: float, speed: float, pace: Pace) -> None:
        plan, number = self._plan, self._number
        stages = plan.recipe.stages
        per_epoch = plan.batch_size / plan.patches
        said = Progress(
            phase=f"stage {number + 1} of {len(stages)}: {stages[number].name}",
            stage=number + 1,
            stages=len(stages),
            epoch=pace.done * per_epoch,
            epochs=pace.steps * per_epoch,
            loss=loss,
            lr=lr,
            views_per_second=speed,
        )
        slowness = pace.seconds_per_mean_step / plan.times.step[number].likely
        self._tell_where(said, "steps", number, pace.fraction, slowness)

    def _tell_where(
        self,
        said: Progress,
        kind: PartKind,
        stage: int = 0,
        share: float = math.nan,
        slowness: float = math.nan,
    ) -> None:
        """Report with how much of the run is done, as :meth:`Forecast.state` says."""
        fraction, left = self.forecast.state(kind, stage, share, slowness)
        self._tell(replace(said, fraction=fraction, seconds_left=left))

    def _tell(self, progress: Progress) -> None:
        progress = replace(progress, seconds=self._clock())
        self._last = replace(progress, embedding=None)
        if progress.embedding is not None:
            self.looks.note(
                progress.embedding, progress.stage, progress.epoch, progress.seconds
            )
        if self._progress is not None:
            self._progress(progress)


class _Mean:
    """Mean of the losses since the last report, fetched without waiting for a GPU."""

    def __init__(self, device: torch.device) -> None:
        self._sum = torch.zeros((), device=device)
        self._steps = 0
        self._since = time.monotonic()
        self._coming: tuple[Tensor, torch.cuda.Event, int, float] | None = None

    def add(self, loss: Tensor) -> None:
        self._sum += loss
        self._steps += 1

    def take(self, *, at_once: bool) -> tuple[float, float] | None:
        """Return mean loss and steps a second when a report is due, else None."""
        now = time.monotonic()
        if self._coming is not None:
            fetched, arrived, steps, seconds = self._coming
            if not arrived.query():
                return None
            self._coming = None
            return float(fetched) / steps, steps / seconds
        seconds = now - self._since
        if seconds < _EVERY and not at_once:
            return None
        steps, self._steps, self._since = self._steps, 0, now
        if self._sum.device.type != "cuda":
            total = float(self._sum)
            self._sum.zero_()
            return total / steps, steps / max(seconds, 1e-9)
        fetched = torch.empty((), pin_memory=True)
        fetched.copy_(self._sum, non_blocking=True)
        self._sum.zero_()
        arrived = torch.cuda.Event()
        arrived.record()
        self._coming = fetched, arrived, steps, max(seconds, 1e-9)
        return None
