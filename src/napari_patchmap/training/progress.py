"""What a training run reports while it works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Progress:
    """One report of the trainer.

    Parameters
    ----------
    phase : str
        What is being done, in the user's words ("stage 1 of 3: learning features").
    stage, stages : int
        Current stage, from 1, and how many there are; stage 0 is preparation.
    epoch, epochs : float
        Passes over the patches done in this stage, and how many are planned (NaN while
        unknown).
    fraction : float
        Share of the whole run that is done, 0 to 1.
    loss : float
        Mean loss since the last report; NaN before the first step.
    lr : float
        Learning rate of the last step.
    views_per_second : float
        Augmented views trained on a second, lately.
    seconds, seconds_left : float
        Time since the start, and until the end as far as known (NaN at first).
    embedding : ndarray of float32, shape (n, dimensions), optional
        The map as it is now, once in a while.
    note : str
        Something that people should know, in a sentence; mostly empty.
    """

    phase: str
    stage: int = 0
    stages: int = 3
    epoch: float = 0.0
    epochs: float = 0.0
    fraction: float = 0.0
    loss: float = float("nan")
    lr: float = 0.0
    views_per_second: float = 0.0
    seconds: float = 0.0
    seconds_left: float = float("nan")
    embedding: np.ndarray | None = None
    note: str = ""


ProgressCallback = Callable[[Progress], None]
StopCallback = Callable[[], bool]


def say_time(seconds: float) -> str:
    """Say a duration as people do: ``45 s``, ``3 min 20 s``, ``2 h 05 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def say_left(seconds: float) -> str:
    """Say how long it still takes: ``3 min 20 s left``, or that this is not known yet."""
    return "estimating time left" if seconds != seconds else f"{say_time(seconds)} left"
