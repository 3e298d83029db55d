"""The order in which patches are trained."""

from __future__ import annotations

import torch
from torch import Tensor


class Batches:
    """An endless stream of shuffled batches, each patch once an epoch.

    Every batch is full, so that every step sees as many negatives: patches that
    are left over at the end of an epoch open the next one. The order follows from
    the seed, on any device.

    Parameters
    ----------
    patches : int
    batch_size : int
        Lowered to ``patches`` if there are fewer.
    seed : int
    """

    def __init__(self, patches: int, batch_size: int, seed: int) -> None:
        self.patches = patches
        self.batch_size = min(batch_size, patches)
        self._generator = torch.Generator().manual_seed(seed)
        self._order = self._shuffle()
        self._next = 0

    def draw(self) -> Tensor:
        """Return the indices of the next batch, int64 on the CPU, shape (batch_size,)."""
        end = self._next + self.batch_size
        if end <= self.patches:
            batch = self._order[self._next : end]
            self._next = end
            return batch
        rest = self._order[self._next :]
        self._order = self._shuffle()
        self._next = self.batch_size - len(rest)
        # A patch must not meet itself as a negative: those of the rest go to the
        # end of the new order.
        again = torch.isin(self._order, rest)
        self._order = torch.cat([self._order[~again], self._order[again]])
        return torch.cat([rest, self._order[: self._next]])

    def skip(self, batches: int) -> None:
        """Go on as if so many batches had been drawn."""
        for _ in range(batches):
            self.draw()

    def _shuffle(self) -> Tensor:
        return torch.randperm(self.patches, generator=self._generator)
