"""Random numbers of a batch of views."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor


@dataclass
class RandomBatch:
    """Fields that are tensors hold a row a view; others are those of the whole batch."""

    def __getitem__(self, part: slice) -> Self:
        values = (getattr(self, field.name) for field in fields(self))
        return type(self)(
            *(v[part] if isinstance(v, Tensor | RandomBatch) else v for v in values)
        )


class Lot:
    """Uniform random numbers in [0, 1), drawn at once and taken one after the other.

    Parameters
    ----------
    numbers : Tensor, shape (v, n)
        For ``v`` views of each of ``batch`` patches.
    batch : int
    """

    def __init__(self, numbers: Tensor, batch: int) -> None:
        self._numbers, self._batch, self._next = numbers, batch, 0
        self.device, self.views = numbers.device, len(numbers) * batch

    @classmethod
    def draw(cls, count: int, batch: int, generator: torch.Generator) -> Self:
        """Draw so many numbers for a view of each patch."""
        shape, device = (1, count * batch), generator.device
        return cls(torch.rand(shape, generator=generator, device=device), batch)

    def __call__(self, before: tuple[int, ...] = (), after: tuple[int, ...] = ()) -> Tensor:
        """Return the next numbers, shape (*before, v x batch, *after)."""
        shape, start = (*before, self._batch, *after), self._next
        self._next += math.prod(shape)
        taken = self._numbers[:, start : self._next].unflatten(1, shape)
        return taken.movedim(0, len(before)).flatten(len(before), len(before) + 1)
