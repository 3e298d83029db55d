"""What the network learns from in a stage: views, neighbours among features, or a teacher."""

from __future__ import annotations

from napari_patchmap.methods.stage import Stage
from napari_patchmap.training.learners.base import Learner
from napari_patchmap.training.learners.from_neighbours import NeighboursLearner
from napari_patchmap.training.learners.from_teacher import StudentLearner
from napari_patchmap.training.learners.from_views import ViewsLearner

__all__ = ["Learner", "learner_of"]


def learner_of(stage: Stage) -> type[Learner]:
    """Return the kind of learner that a stage asks for."""
    if stage.neighbours:
        return NeighboursLearner
    return StudentLearner if stage.distillation is not None else ViewsLearner
