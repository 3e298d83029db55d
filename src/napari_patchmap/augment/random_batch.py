"""Random numbers of a batch of views."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

from torch import Tensor


@dataclass
class RandomBatch:
    """Fields that are tensors hold a row a view; others are those of the whole batch."""

    def __getitem__(self, part: slice) -> Self:
        values = (getattr(self, field.name) for field in fields(self))
        return type(self)(*(v[part] if isinstance(v, Tensor) else v for v in values))
