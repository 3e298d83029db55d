"""One gradient of a contrastive loss over a batch, in as many parts as memory asks for."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from napari_patchmap.errors import TrainingError
from napari_patchmap.networks import Network
from napari_patchmap.networks.out_of_memory import free_cached_memory, is_out_of_memory
from napari_patchmap.training.distributed.ranks import Ranks
from napari_patchmap.training.distributed.shared_gradients import Produce, SharedGradients

#: Batch normalisation needs patches to average over; parts are not made smaller.
_SMALLEST_PART = 8

#: From the outputs of a whole batch to its loss.
Criterion = Callable[[Tensor], Tensor]


class Gradient:
    """Computes loss and gradients of a batch; when memory is short, part by part.

    Every patch is compared with all others of the batch however many parts there
    are: the outputs of all parts are computed first without keeping what the
    backward pass needs, the loss gives the gradient of each output, and then each
    part is computed again and taken backwards from there (Gao et al. 2021,
    "Scaling deep contrastive learning batch size under memory limited setup").
    Batch normalisation then averages over a part, not over the batch.

    Of several processes each computes its share of the batch, and has the gradients of the
    whole batch in the end. Make it once it is told which weights of the network rest.

    ``note`` is told in one sentence when the parts become smaller; a ``scaler`` scales the
    loss in float16.
    """

    def __init__(
        self,
        network: Network,
        ranks: Ranks,
        *,
        parts: int = 1,
        note: Callable[[str], None],
        scaler: torch.amp.GradScaler | None = None,
    ) -> None:
        self.parts = parts
        self._network, self._ranks, self._note = network, ranks, note
        self._shared = SharedGradients(network, ranks)
        self._scaler = scaler or torch.amp.GradScaler(enabled=False)

    def compute(
        self, produce: Produce, batch: int, criterion: Criterion | None = None
    ) -> Tensor:
        """Add the gradients of a batch to the network; return its loss, detached.

        Parameters
        ----------
        produce : callable
            Computes outputs (2 p, d), first views and then second views, for a part of the
            batch, a slice. Called once or twice for each; must give the same views again.
        batch : int
            Patches in the batch, those of all processes together.
        criterion : callable, optional
            From the outputs of the whole batch, of all processes, to the loss; None where
            ``produce`` returns losses.

        Raises
        ------
        TrainingError
            If there is not enough memory for the smallest parts either.
        """
        while True:
            short = False
            try:
                return self._compute(produce, batch, criterion)
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                short = True  # what the exception holds is given back before the next try
            if short:
                self._make_smaller(batch)

    def _compute(self, produce: Produce, batch: int, criterion: Criterion | None) -> Tensor:
        assert criterion is not None
        mine = self._ranks.share(batch)
        if self.parts == 1:
            loss = criterion(self._ranks.gather(self._shared.run(produce, mine), batch))
            self._scaler.scale(loss).backward()
            return loss.detach()
        parts = _split(mine, self.parts)
        with torch.no_grad(), _without_statistics(self._network):
            pairs = [produce(part).chunk(2) for part in parts]
        first, second = (torch.cat(views) for views in zip(*pairs, strict=True))
        outputs = torch.cat([first, second]).requires_grad_()
        loss = criterion(self._ranks.gather(outputs, batch))
        self._scaler.scale(loss).backward()
        assert outputs.grad is not None
        first, second = outputs.grad.chunk(2)
        for part in parts:
            rows = slice(part.start - mine.start, part.stop - mine.start)
            again = self._shared.run(produce, part, last=part is parts[-1])
            again.backward(torch.cat([first[rows], second[rows]]))
        return loss.detach()

    def _make_smaller(self, batch: int) -> None:
        self._network.zero_grad(set_to_none=True)
        free_cached_memory()
        if self._ranks.world > 1:
            raise TrainingError(
                "One of the processes ran out of memory; choose a smaller batch size."
            )
        if batch // (2 * self.parts) < _SMALLEST_PART:
            raise TrainingError(
                f"There is not enough memory for {batch // self.parts} patches at once; close "
                "other programs, or choose a smaller longest side or backbone under More."
            )
        self.parts *= 2
        self._note(
            f"Memory was short: each step is now computed in {self.parts} parts, with as many "
            f"negatives as before ({batch} patches)."
        )


class SummedGradient(Gradient):
    """Computes loss and gradients of a loss that is a mean over patches, part by part.

    ``produce`` returns the mean loss of a part, and there is no criterion. Several
    processes are refused: each would compute all of the batch.
    """

    def __init__(self, network: Network, ranks: Ranks, **named: Any) -> None:
        if ranks.world > 1:
            raise TrainingError("A mean over patches is not shared between processes.")
        super().__init__(network, ranks, **named)

    def _compute(self, produce: Produce, batch: int, criterion: Criterion | None) -> Tensor:
        total: Tensor | None = None
        for part in _split(slice(0, batch), self.parts):
            loss = produce(part) * ((part.stop - part.start) / batch)
            self._scaler.scale(loss).backward()
            total = loss.detach() if total is None else total + loss.detach()
        assert total is not None
        return total


def _split(whole: slice, parts: int) -> list[slice]:
    """Split a slice into parts of about one size."""
    size = whole.stop - whole.start
    bounds = [whole.start + round(i * size / parts) for i in range(parts + 1)]
    return [slice(a, b) for a, b in itertools.pairwise(bounds)]


@contextmanager
def _without_statistics(network: nn.Module) -> Iterator[None]:
    """Normalise by the batch, but do not let it count in the running statistics."""
    norms = [
        m
        for m in network.modules()
        if isinstance(m, nn.modules.batchnorm._BatchNorm) and m.training
    ]
    before = [(m.momentum, m.num_batches_tracked) for m in norms]
    kept = [None if n is None else n.clone() for _, n in before]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, (momentum, tracked), count in zip(norms, before, kept, strict=True):
            norm.momentum = momentum
            if tracked is not None and count is not None:
                tracked.copy_(count)
