"""Batch normalisation over the batches of all processes of a run."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm


def synchronise_norms(network: nn.Module) -> nn.Module:
    """Let batch normalisation use the patches of all processes, in training mode.

    Weights and buffers stay the same tensors under the same names, so optimisers
    go on, and what is saved loads into an ordinary network. It is changed in place, unless
    it is itself a batch normalisation.

    Every process has to run every training step of a synchronised network, or
    the others wait for it. Evaluation mode needs nobody else.
    """
    if isinstance(network, nn.SyncBatchNorm):
        return network
    if isinstance(network, _BatchNorm):
        return SyncBatchNorm(network)
    for name, child in list(network.named_children()):
        setattr(network, name, synchronise_norms(child))
    return network


def plain_norms(network: nn.Module) -> nn.Module:
    """Undo :func:`synchronise_norms`; weights and statistics stay as they are now."""
    if isinstance(network, SyncBatchNorm):
        return network.to_plain()
    for name, child in list(network.named_children()):
        setattr(network, name, plain_norms(child))
    return network


class SyncBatchNorm(nn.SyncBatchNorm):
    """torch's synchronised batch normalisation, which then also runs on a CPU.

    torch has it for GPUs alone. Processes may hold different numbers of patches,
    none included. Statistics are at least float32 whatever the images are.

    The weights, buffers and settings of a plain one are taken over. Subclasses with modules
    of their own run those afterwards, one after the other, as the dropout and activation of
    timm's ``BatchNormAct2d``.
    """

    def __init__(self, plain: _BatchNorm) -> None:
        super().__init__(
            plain.num_features,
            plain.eps,
            plain.momentum,
            plain.affine,
            plain.track_running_stats,
        )
        self._plain = (plain,)  # in a tuple: not a part of this module
        _move(plain, self)

    def to_plain(self) -> _BatchNorm:
        """Return the ordinary normalisation with what this one has learned."""
        _move(self, self._plain[0])
        return self._plain[0]

    def forward(self, images: Tensor) -> Tensor:
        if self.training and images.device.type == "cpu" and _several():
            images = self._normalised(images)
        else:
            images = super().forward(images)
        for child in self.children():
            images = child(images)
        return images

    def _normalised(self, images: Tensor) -> Tensor:
        count, mean, variance = _shared_statistics(images.detach())
        if self.track_running_stats:
            assert self.num_batches_tracked is not None
            self.num_batches_tracked.add_(1)
            share = self.momentum
            if share is None:  # a plain mean over all batches
                share = 1 / float(self.num_batches_tracked)
            unbiased = variance * (count / (count - 1))
            for kept, new in ((self.running_mean, mean), (self.running_var, unbiased)):
                assert kept is not None
                kept.lerp_(new.to(kept.dtype), share)
        normalised: Tensor = _Normalise.apply(
            images, self.weight, self.bias, mean, variance, count, self.eps
        )
        return normalised


def _move(source: _BatchNorm, target: _BatchNorm) -> None:
    """Make ``target`` use the tensors, modules and settings of ``source``."""
    target._parameters.update(source._parameters)
    target._buffers.update(source._buffers)
    target._modules.update(source._modules)
    target.momentum, target.training = source.momentum, source.training


def _several() -> bool:
    return (
        distributed.is_available()
        and distributed.is_initialized()
        and distributed.get_world_size() > 1
    )


def _shared_statistics(images: Tensor) -> tuple[int, Tensor, Tensor]:
    """Values a channel, mean and biased variance over the images of all processes."""
    kind = torch.promote_types(images.dtype, torch.float32)
    count, channels = images.numel() // images.shape[1], images.shape[1]
    values, dims = images.to(kind), _all_but_channels(images)
    mean = variance = torch.zeros(channels, dtype=kind)
    if count:
        # In two passes: mean(x^2) - mean(x)^2 would lose digits.
        mean = values.mean(dims)
        variance = (values - _wide(mean, images)).square_().mean(dims)
    mine = torch.cat([mean, variance, mean.new_tensor([count])])
    parts = [torch.empty_like(mine) for _ in range(distributed.get_world_size())]
    distributed.all_gather(parts, mine)
    means, variances, counts = torch.stack(parts).split([channels, channels, 1], dim=1)
    total = int(counts.sum())
    if total < 2:
        raise ValueError("batch normalisation needs more than one value per channel")
    mean = (counts * means).sum(dim=0) / total
    variance = (counts * (variances + (means - mean).square())).sum(dim=0) / total
    return total, mean, variance


class _Normalise(torch.autograd.Function):
    """Normalise by shared statistics, whose dependence on all images the gradient follows.

    With y = w x' + b, x' = (x - mean) / sd and N values a channel,
    dL/dx = w / sd (g - sum(g) / N - x' sum(g x') / N), g = dL/dy, where the sums
    run over all processes. Those for w and b are this process's part.
    """

    @staticmethod
    def forward(
        ctx: Any,
        images: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        mean: Tensor,
        variance: Tensor,
        count: int,
        eps: float,
    ) -> Tensor:
        ctx.save_for_backward(images, weight, mean, (variance + eps).rsqrt())
        ctx.count = count
        return nn.functional.batch_norm(images, mean, variance, weight, bias, False, 0.0, eps)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        images, weight, mean, scale = ctx.saved_tensors
        gradient = grads[0].to(mean.dtype)
        normal = (images.to(mean.dtype) - _wide(mean, images)).mul_(_wide(scale, images))
        dims = _all_but_channels(images)
        own = torch.stack([gradient.sum(dims), (gradient * normal).sum(dims)])
        to_images = None
        if ctx.needs_input_grad[0]:
            shared = own.clone()
            distributed.all_reduce(shared)
            centre, slope = (_wide(part / ctx.count, images) for part in shared)
            scale = scale if weight is None else scale * weight
            to_images = (gradient - centre).addcmul_(normal, slope, value=-1)
            to_images = to_images.mul_(_wide(scale, images)).to(images.dtype)
        to_weight = own[1].to(weight.dtype) if ctx.needs_input_grad[1] else None
        to_bias = own[0].to(weight.dtype) if ctx.needs_input_grad[2] else None
        return to_images, to_weight, to_bias, None, None, None, None


def _all_but_channels(images: Tensor) -> tuple[int, ...]:
    return (0, *range(2, images.ndim))


def _wide(values: Tensor, images: Tensor) -> Tensor:
    return values.view(-1, *(1 for _ in images.shape[2:]))
