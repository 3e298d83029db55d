"""Self-distillation: what DINO's student is taught, as formulas and schedules."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from napari_patchmap.methods.objectives import Objective


@dataclass(frozen=True)
class Distillation(Objective):
    """A student says of a view what a teacher says of other views of the patch.

    Parameters
    ----------
    local_crops : int
        Small views of each patch, beside the two large ones.
    local_size : float
        Their side as a share of the patch's.
    global_area, local_area : (float, float)
        Smallest and largest share of the patch that a view shows.
    student_temperature : float
    teacher_temperature : (float, float)
        At the beginning, and after the warm-up.
    warmup : float
        Share of the stage in which the teacher's temperature rises.
    momentum : (float, float)
        Of the teacher's weights, at the beginning and the end of the stage.
    centre_momentum : float
        Of the teacher's mean output.
    decay : (float, float)
        Weight decay at the beginning and the end of the stage.
    clipping : float
        Largest gradient of a unit, as a share of its weights (adaptive clipping,
        Brock et al. 2021).
    frozen_epochs : float
        Epochs in which the last layer rests.
    """

    local_crops: int = 5
    local_size: float = 96 / 256
    global_area: tuple[float, float] = (0.5, 1.0)
    local_area: tuple[float, float] = (0.1, 0.5)
    student_temperature: float = 0.1
    teacher_temperature: tuple[float, float] = (0.02, 0.04)
    warmup: float = 0.02
    momentum: tuple[float, float] = (0.9995, 1.0)
    centre_momentum: float = 0.9
    decay: tuple[float, float] = (0.04, 0.4)
    clipping: float = 0.32
    frozen_epochs: float = 1.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, apart from those of the stage."""
        return {"distillation": asdict(self)}

    def temperature_at(self, done: float) -> float:
        """Temperature of the teacher when the share ``done`` of the stage lies behind."""
        first, last = self.teacher_temperature
        return first + (last - first) * min(1.0, done / max(self.warmup, 1e-9))

    def momentum_at(self, done: float) -> float:
        """Momentum of the teacher's weights; half a cosine from the first to the last."""
        return _cosine(*self.momentum, done)

    def decay_at(self, done: float) -> float:
        """Weight decay; half a cosine from the first to the last."""
        return _cosine(*self.decay, done)


def dino_loss(
    student: Tensor,
    teacher: Tensor,
    centre: Tensor,
    student_temperature: float,
    teacher_temperature: float,
) -> Tensor:
    """Cross-entropy of what the student says of a view and the teacher of another.

    Algorithm 1 of Caron et al. 2021: for each pair of a large view seen by the
    teacher and another view seen by the student, with the teacher's output
    centred and sharpened; the mean over pairs and patches.

    The student's outputs are (v, b, k), for v views of b patches, the two large ones first;
    the teacher's (2, b, k), for the large ones, and get no gradient.
    """
    with torch.autocast(student.device.type, enabled=False):
        wanted = ((teacher.detach().float() - centre) / teacher_temperature).softmax(dim=-1)
        said = (student.float() / student_temperature).log_softmax(dim=-1)
        # Of all pairs (t, v), those of a view with itself are left out.
        total = torch.einsum("tbk,vbk->", wanted, said)
        itself = (wanted * said[: len(wanted)]).sum()
        pairs = len(wanted) * len(said) - len(wanted)
        return -(total - itself) / (pairs * student.shape[1])


def moved_centre(centre: Tensor, mean: Tensor, momentum: float) -> Tensor:
    """Return the teacher's mean output (k,), moved towards that of both large views.

    Equation (4) of Caron et al. 2021.
    """
    return momentum * centre + (1 - momentum) * mean.float()


def _cosine(first: float, last: float, done: float) -> float:
    return last + (first - last) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
