"""DINO's teacher: a slow copy of the network, and what its student has to say like it."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor

from napari_patchmap.augment import AugmentConfig, ViewMaker
from napari_patchmap.methods.distillation import Distillation, dino_loss, moved_centre
from napari_patchmap.networks import Network
from napari_patchmap.networks.out_of_memory import is_out_of_memory
from napari_patchmap.networks.timm_models import timm

#: Blurred share of the first and the second large view, where there is blur at all; of
#: small views it is that of the settings (Nielsen et al. 2024, after Grill et al. 2020).
_BLUR_SHARES = (1.0, 0.1)

#: Gradients are clipped against no smaller weights than this.
_LEAST_NORM = 1e-3


class Teacher:
    """Teaches the network of a stage, its student: that moves, and a copy of it follows.

    Views are those of ``maker``, but the areas of crops are those of ``settings``.
    """

    def __init__(self, student: Network, settings: Distillation, maker: ViewMaker) -> None:
        self.settings = settings
        self._student = student
        self.network = copy.deepcopy(student).requires_grad_(False).train()
        self.centre = torch.zeros(student.spec.out_dim, device=student.device)
        self._sum, self._count = torch.zeros_like(self.centre), 0
        self._makers = [maker.with_config(config) for config in self._views(maker.config)]
        self._local_size = self._size_of_local_crops()

    def _views(self, augment: AugmentConfig) -> tuple[AugmentConfig, ...]:
        """Settings of the two large views and of the small ones."""
        least, most = self.settings.global_area
        large = augment.replace(crop_smallest=least, crop_largest=most)
        least, most = self.settings.local_area
        small = augment.replace(crop_smallest=least, crop_largest=most, solarise=False)
        first, second = (large.replace(blur_share=share) for share in _BLUR_SHARES)
        return first.replace(solarise=False), second, small

    @torch.no_grad()
    def _size_of_local_crops(self) -> tuple[int, int] | None:
        """Height and width of small views; None if the network takes its own size only."""
        spec, device = self._student.spec, self._student.device
        size = tuple(max(8, 8 * round(self.settings.local_size * n / 8)) for n in spec.size)
        size = tuple(min(n, whole) for n, whole in zip(size, spec.size, strict=True))
        was_training = self.network.training
        self.network.eval()
        try:
            self.network.features(torch.zeros(2, spec.channels, *size, device=device))
        except Exception as error:
            if is_out_of_memory(error):
                raise
            return None
        finally:
            self.network.train(was_training)
        return size[0], size[1]

    # -- a step ------------------------------------------------------------------------

    def loss(
        self,
        pixels: Tensor,
        part: slice,
        generator: torch.Generator,
        autocast: torch.autocast,
        done: float,
    ) -> Tensor:
        """Mean loss of a part of a batch of pixels, with the gradient of the student.

        The generator is in the same state for all parts of a batch; the share ``done`` of
        the stage lies behind.
        """
        some, batch, settings = pixels[part], len(pixels), self.settings

        def views(maker: ViewMaker, size: tuple[int, int] | None = None) -> Tensor:
            made = maker(some, generator, part=part, batch=batch, size=size)
            return made.contiguous(memory_format=torch.channels_last)

        first, second, small = self._makers
        large = torch.cat([views(first), views(second)])
        local = [views(small, self._local_size) for _ in range(settings.local_crops)]
        with autocast:
            with torch.no_grad():
                wanted = self.network(large).unflatten(0, (2, len(some)))
            said = self._student(large).unflatten(0, (2, len(some)))
            if local:
                more = self._student(torch.cat(local))
                said = torch.cat([said, more.unflatten(0, (len(local), len(some)))])
        self._sum += wanted.float().sum(dim=(0, 1))
        self._count += 2 * len(some)
        return dino_loss(
            said,
            wanted,
            self.centre,
            settings.student_temperature,
            settings.temperature_at(done),
        )

    def before_step(self, optimiser: torch.optim.Optimizer, done: float, epoch: float) -> None:
        """Clip gradients, let the last layer rest at first, and set the weight decay."""
        timm()  # which may need our help to be imported
        from timm.utils.agc import adaptive_clip_grad

        moving = [p for p in self._student.parameters() if p.grad is not None]
        adaptive_clip_grad(moving, self.settings.clipping, eps=_LEAST_NORM)
        if epoch < self.settings.frozen_epochs:
            for parameter in self._student.output.parameters():
                parameter.grad = None
        for group in optimiser.param_groups:
            if group["weight_decay"] > 0:
                group["weight_decay"] = self.settings.decay_at(done)

    @torch.no_grad()
    def after_step(self, done: float) -> None:
        """Follow the student, and move the centre."""
        momentum = self.settings.momentum_at(done)
        mine, theirs = (
            [parameter.detach() for parameter in network.parameters()]
            for network in (self.network, self._student)
        )
        torch._foreach_lerp_(mine, theirs, 1 - momentum)
        mean = self._sum / max(1, self._count)
        self.centre = moved_centre(self.centre, mean, self.settings.centre_momentum)
        self.forget_batch()

    def forget_batch(self) -> None:
        """Drop what was seen of a batch that is computed again in smaller parts."""
        self._sum.zero_()
        self._count = 0

    # -- interruptions -----------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return what :meth:`restore` needs."""
        return {"network": self.network.state_dict(), "centre": self.centre}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where another teacher stopped."""
        self.network.load_state_dict(state["network"])
        self.centre = state["centre"].to(self.centre.device)
