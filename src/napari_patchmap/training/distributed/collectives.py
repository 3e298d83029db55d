"""What processes of one run send each other: rows with gradients, and large messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, distributed

#: Numbers that travel in one message.
_MESSAGE = 1 << 25


def gather_rows(rows: Tensor, sizes: Sequence[int], rank: int) -> Tensor:
    """Join the rows of all processes; the gradient goes back to this process's own.

    Those are (views, sizes[rank], ...), all together (views, sum(sizes), ...).
    """
    joined: Tensor = _GatherRows.apply(rows, sizes, rank)
    return joined


class _GatherRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, sizes: Sequence[int], rank: int) -> Tensor:
        ctx.first, ctx.size = sum(sizes[:rank]), sizes[rank]
        # All send equally much: what is shorter is filled up.
        mine = rows.new_zeros((len(rows), max(sizes), *rows.shape[2:]))
        mine[:, : sizes[rank]] = rows
        parts = [torch.empty_like(mine) for _ in sizes]
        distributed.all_gather(parts, mine)
        own = [part[:, :size] for part, size in zip(parts, sizes, strict=True)]
        return torch.cat(own, dim=1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return grads[0].narrow(1, ctx.first, ctx.size), None, None


def change_together(tensors: Sequence[Tensor], operation: Callable[[Tensor], Any]) -> None:
    """Apply a collective operation to tensors in place, many of them in one message."""
    by_kind: dict[tuple[torch.dtype, torch.device], list[Tensor]] = {}
    for tensor in tensors:
        by_kind.setdefault((tensor.dtype, tensor.device), []).append(tensor)
    for group in by_kind.values():
        message: list[Tensor] = []
        length = 0
        for tensor in group:
            if message and length + tensor.numel() > _MESSAGE:
                _change(message, operation)
                message, length = [], 0
            message.append(tensor)
            length += tensor.numel()
        _change(message, operation)


def _change(tensors: Sequence[Tensor], operation: Callable[[Tensor], Any]) -> None:
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    operation(flat)
    for tensor, part in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
        tensor.copy_(part.view(tensor.shape))
