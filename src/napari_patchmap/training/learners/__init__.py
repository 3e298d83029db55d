"""What the network learns from in a stage: views, neighbours among features, or a teacher."""

from __future__ import annotations

from napari_patchmap.errors import TrainingError
from napari_patchmap.methods.stage import Stage
from napari_patchmap.training.learners.base import Learner
from napari_patchmap.training.learners.context import Context
from napari_patchmap.training.learners.from_cached_views import CachedViewsLearner
from napari_patchmap.training.learners.from_neighbours import NeighboursLearner
from napari_patchmap.training.learners.from_teacher import StudentLearner
from napari_patchmap.training.learners.from_views import ViewsLearner

__all__ = ["Context", "Learner", "learner_of"]

#: All learners, one for each kind of objective.
LEARNERS: tuple[type[Learner], ...] = (
    ViewsLearner, CachedViewsLearner, NeighboursLearner, StudentLearner,
)  # fmt: skip


def learner_of(stage: Stage) -> type[Learner]:
    """Return the kind of learner that the objective of a stage asks for.

    Raises
    ------
    TrainingError
        If there is none.
    """
    for learner in LEARNERS:
        if learner.objective is type(stage.objective):
            return learner
    raise TrainingError(
        f'No learner serves {type(stage.objective).__name__}, which the stage "{stage.name}" '
        "asks for; add one to training/learners."
    )
