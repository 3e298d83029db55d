"""What processes of one run send each other: rows with gradients, and large messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, distributed

#: Numbers that travel in one message.
_MESSAGE = 1 << 25


def gather_rows(rows: Tensor, sizes: Sequence[int], rank: int) -> Tensor:
    """Join the rows of all processes; the gradient of all their losses goes back to the own.

    Those are (views, sizes[rank], ...), all together (views, sum(sizes), ...). The losses
    are the same, so nothing has to be sent for that gradient.
    """
    joined: Tensor = _GatherRows.apply(rows, sizes, rank)
    return joined


class _GatherRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, sizes: Sequence[int], rank: int) -> Tensor:
        ctx.world, ctx.first, ctx.size = len(sizes), sum(sizes[:rank]), sizes[rank]
        # All send equally much: what is shorter is filled up.
        mine = rows.new_zeros((len(rows), max(sizes), *rows.shape[2:]))
        mine[:, : sizes[rank]] = rows
        parts = [torch.empty_like(mine) for _ in sizes]
        distributed.all_gather(parts, mine)
        own = [part[:, :size] for part, size in zip(parts, sizes, strict=True)]
        return torch.cat(own, dim=1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return ctx.world * grads[0].narrow(1, ctx.first, ctx.size), None, None


def broadcast_together(tensors: Sequence[Tensor]) -> None:
    """Give all processes the tensors of rank 0 in place, many of them in one message."""
    by_kind: dict[tuple[torch.dtype, torch.device], list[Tensor]] = {}
    for tensor in tensors:
        by_kind.setdefault((tensor.dtype, tensor.device), []).append(tensor.detach())
    for group in by_kind.values():
        message: list[Tensor] = []
        length = 0
        for tensor in group:
            if message and length + tensor.numel() > _MESSAGE:
                _broadcast(message)
                message, length = [], 0
            message.append(tensor)
            length += tensor.numel()
        _broadcast(message)


def _broadcast(tensors: Sequence[Tensor]) -> None:
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    distributed.broadcast(flat, 0)
    for tensor, part in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
        tensor.copy_(part.view(tensor.shape))
