"""Learning from two views of each patch, compared with each other and with all others."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from napari_patchmap.training.feed import Fed
from napari_patchmap.training.fused import Forward, fused, wants_fusing
from napari_patchmap.training.kept import described
from napari_patchmap.training.learners.base import Learner
from napari_patchmap.training.step import Gradient


class ViewsLearner(Learner):
    """Compares two new views of each patch by the loss of the stage."""

    #: Whether the network was compiled before an interruption; None if there was none.
    _was_fused: bool | None = None

    def start(self) -> None:
        """Compile the network, if it pays."""
        self._fused = self._fuse()

    def state(self) -> dict[str, Any]:
        """Return whether the network is compiled, which was found out by the clock."""
        return {"fused": self._fused is not None, "device": described(self.session.device)}

    def restore(self, state: dict[str, Any] | None) -> None:
        """Decide as before, unless that was for another device."""
        assert state is not None
        if state["device"] == described(self.session.device):
            self._was_fused = bool(state["fused"])

    def _fuse(self) -> Forward | None:
        """Compile the network, if this stage trains all of it and it is worth while."""
        session, stage, wanted = self.session, self.stage, self._was_fused
        whole = stage.trains == "all" and session.parts == 1 and session.ranks.world == 1
        if wanted is None:
            seconds = session.plan.stage_seconds(self.number)
            wanted = wants_fusing(session.config.train.compile, session.device, seconds)
        if not (whole and wanted):
            return None
        session.reporter.say("trying faster kernels")
        spec, device = session.network.spec, session.device.target
        shape = (2 * session.plan.batch_size, spec.channels, *spec.size)
        views = torch.rand(shape, device=device).contiguous(memory_format=torch.channels_last)
        return fused(session.network, views, session.device, chosen=self._was_fused is True)

    def compute(self, gradient: Gradient, fed: Fed, fraction: float) -> Tensor:
        """Add the gradients of the loss of two new views of each patch."""
        session, seed, (_, pixels) = self.session, self.seed(self.pace.done), fed

        def produce(part: slice) -> Tensor:
            views = self._views(pixels, part, seed)
            with self.autocast():
                if self._fused is not None and len(views) == 2 * len(pixels):
                    return self._fused(views)
                moves = torch.is_grad_enabled() and self.stage.trains == "all"
                with torch.set_grad_enabled(moves):
                    features = session.network.features(views)
                return session.network.project(features)

        return gradient.compute(produce, len(pixels), self.stage.loss)

    def _views(self, pixels: Tensor, part: slice, seed: int) -> Tensor:
        """Two views of some patches of a batch, the first ones first."""
        session, some, batch = self.session, pixels[part], len(pixels)
        session.generator.manual_seed(seed)
        views = [session.maker(some, session.generator, part=part, batch=batch) for _ in "12"]
        return torch.cat(views).contiguous(memory_format=torch.channels_last)
