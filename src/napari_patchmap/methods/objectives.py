"""What the network of a stage learns from, and the loss that goes with it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from torch import Tensor

from napari_patchmap.methods.losses import cauchy_infonce, nt_xent


@dataclass(frozen=True)
class Objective:
    """Base of what a stage can learn from.

    ``training/learners`` has one learner for each class of them; a method that learns
    in a new way brings a class and a learner.
    """

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, to stand among those of the stage."""
        return asdict(self)


@dataclass(frozen=True)
class ViewsObjective(Objective):
    """Two views of each patch are alike, those of other patches are not.

    Parameters
    ----------
    similarity : {"cauchy", "cosine"}
        What the loss compares views with: :func:`cauchy_infonce` or :func:`nt_xent`.
    temperature : float
        Of the cosine similarity.
    """

    similarity: Literal["cauchy", "cosine"] = "cauchy"
    temperature: float = 0.5

    def loss(self, outputs: Tensor) -> Tensor:
        """Loss of the outputs of a batch, (2 b, d): first views of all patches, then second."""
        if self.similarity == "cosine":
            return nt_xent(outputs, self.temperature)
        return cauchy_infonce(outputs)


@dataclass(frozen=True)
class CachedViewsObjective(ViewsObjective):
    """Two views of each patch are alike, of some whose features are computed once.

    The network is at rest; what comes after it learns.

    Parameters
    ----------
    similarity, temperature
        As of views.
    views : int
        So many views of each patch are made; a step compares two of them.
    """

    views: int = 4


@dataclass(frozen=True)
class NeighboursObjective(ViewsObjective):
    """Each patch is like its nearest neighbours, whose features stand for other views.

    The backbone is at rest: the features of the patches are computed once, averaged
    over their symmetries.

    Parameters
    ----------
    similarity, temperature
        As of views.
    neighbours : int
        A step compares each patch with one of its so many nearest ones.
    """

    neighbours: int = 15
