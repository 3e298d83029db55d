"""Several processes that train one run together, started by torchrun."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed, nn

from napari_patchmap.errors import TrainingError

#: What torchrun tells every process that it starts.
_VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")

#: How long a process waits for another, which may be reading a slide or laying out a map.
#: torchrun itself ends all processes when one of them fails.
_PATIENCE = timedelta(hours=12)

#: Numbers that travel in one message.
_MESSAGE = 1 << 25

#: What :meth:`Ranks.from_main` can send.
_KINDS = (torch.float32, torch.float64, torch.int64, torch.int32, torch.uint8, torch.bool)
_MOST_DIMENSIONS = 6


@dataclass(frozen=True)
class Ranks:
    """This process's place among those that train a run together.

    All hold the same patches and weights and draw the same random numbers. Each
    computes the views and outputs of its share of every batch; outputs are
    gathered, so that all see the loss of the whole batch with all its negatives,
    and gradients are summed. ``Ranks()`` is a process alone, for which nothing
    here costs anything.

    Parameters
    ----------
    rank : int
        From 0; the process of rank 0 reports and writes.
    world : int
        How many processes there are, on all computers.
    local_rank : int
        From 0 on each computer; also the number of the process's GPU.
    device : {"auto", "cpu", "cuda", "mps"}
        What :func:`choose_device` has to be asked for.
    """

    rank: int = 0
    world: int = 1
    local_rank: int = 0
    device: str = "auto"
    _started: bool = field(default=False, repr=False)

    @classmethod
    def from_environment(cls, device: str = "auto") -> Ranks:
        """Join the other processes if torchrun started this one; otherwise be alone.

        Can be called again, by other parts of the program; whoever was first has
        to close. With GPUs, the process's own becomes torch's current one.

        Parameters
        ----------
        device : {"auto", "cpu", "cuda", "mps"}
            The wanted device.

        Raises
        ------
        TrainingError
            If there are more processes than GPUs, or they do not find each other.
        """
        told = [os.environ.get(name) for name in _VARIABLES]
        if None in told or int(os.environ["WORLD_SIZE"]) < 2:
            return cls(device=device)
        rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        local_rank = int(os.environ.get("LOCAL_RANK", rank))
        if device == "mps" or not distributed.is_available():
            raise TrainingError(
                "Several processes cannot train together on an Apple GPU or with this build of "
                "torch; start patchmap without torchrun, or choose device cpu."
            )
        on_gpu = device != "cpu" and torch.cuda.is_available()
        if on_gpu:
            gpus = torch.cuda.device_count()
            if local_rank >= gpus:
                have = "one GPU" if gpus == 1 else f"{gpus} GPUs"
                raise TrainingError(
                    f"torchrun started more processes on this computer than its {have}; use "
                    f"--nproc-per-node {gpus}, or choose device cpu."
                )
            torch.cuda.set_device(local_rank)
        started = not distributed.is_initialized()
        if started:
            _start("cpu:gloo,cuda:nccl" if on_gpu else "gloo")
        if device == "auto":
            device = "cuda" if on_gpu else "cpu"
        return cls(rank, world, local_rank, device, started)

    def close(self) -> None:
        """Leave the other processes."""
        if self._started and distributed.is_initialized():
            distributed.destroy_process_group()

    @property
    def is_main(self) -> bool:
        """Whether this process reports and writes."""
        return self.rank == 0

    # A batch: who computes what, and how it comes together.

    def share(self, count: int) -> slice:
        """Return which of ``count`` patches are this process's, one more or less for each."""
        return self._share_of(self.rank, count)

    def own_rows(self, rows: Tensor, count: int, views: int = 2) -> Tensor:
        """Return this process's part of rows that were computed for the whole batch.

        The opposite of :meth:`gather`, with the same parameters.
        """
        if self.world == 1:
            return rows
        return rows.unflatten(0, (views, count))[:, self.share(count)].flatten(0, 1)

    def gather(self, outputs: Tensor, count: int, views: int = 2) -> Tensor:
        """Return the outputs of all processes in the order of the whole batch.

        The gradient goes back to this process's own rows, without that of the
        others' losses, which are the same loss. So each process gets the part of
        a parameter's gradient that comes from its own patches; see
        :meth:`sum_gradients`.

        Parameters
        ----------
        outputs : Tensor, shape (views x patches of this process, ...)
            First views of all its patches, then their second views, and so on.
        count : int
            Patches in the whole batch.
        views : int
            Views of each patch.

        Returns
        -------
        Tensor of float32 (or float64, as given), shape (views x count, ...)
            First views of all patches, then their second views, and so on.
        """
        outputs = outputs.to(torch.promote_types(outputs.dtype, torch.float32))
        if self.world == 1:
            return outputs
        whole: Tensor = _Gather.apply(outputs, self, count, views)
        return whole

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Add up the gradients of all processes, in few large messages."""
        if self.world == 1:
            return
        gradients = []
        for parameter in parameters:
            if parameter.requires_grad:
                if parameter.grad is None:  # all processes must send the same
                    parameter.grad = torch.zeros_like(parameter)
                gradients.append(parameter.grad)
        _in_messages(gradients, distributed.all_reduce)

    # One decision for all.

    def broadcast(self, module: nn.Module) -> None:
        """Give all processes the weights and buffers of rank 0."""
        if self.world > 1:
            tensors = [t.detach() for t in (*module.parameters(), *module.buffers())]
            _in_messages(tensors, lambda flat: distributed.broadcast(flat, 0))

    def broadcast_number(self, value: float) -> float:
        """Return the number that rank 0 gave, such as the time on its clock."""
        if self.world == 1:
            return value
        number = torch.tensor([value], dtype=torch.float64)
        distributed.broadcast(number, 0)
        return float(number)

    def from_main(self, make: Callable[[], Tensor]) -> Tensor:
        """Let rank 0 make a tensor, and return it to all, on the CPU if there are several."""
        if self.world == 1:
            return make()
        header = torch.zeros(2 + _MOST_DIMENSIONS, dtype=torch.int64)
        value = torch.empty(0)
        if self.is_main:
            value = make().detach().cpu().contiguous()
            header[0], header[1] = _KINDS.index(value.dtype), value.ndim
            header[2 : 2 + value.ndim] = torch.tensor(value.shape)
        distributed.broadcast(header, 0)
        kind, dimensions, *shape = header.tolist()
        if not self.is_main:
            value = torch.empty(shape[:dimensions], dtype=_KINDS[kind])
        if value.numel():
            distributed.broadcast(value.view(-1).view(torch.uint8), 0)
        return value

    def agree(self, value: bool) -> bool:
        """Whether any process says yes."""
        if self.world == 1:
            return value
        votes = torch.tensor([int(value)])
        distributed.all_reduce(votes, distributed.ReduceOp.MAX)
        return bool(votes)

    def barrier(self) -> None:
        """Wait until all processes are here."""
        self.agree(False)

    @contextmanager
    def main_first(self) -> Iterator[None]:
        """Run a block on the first process of each computer, then on the others.

        For what the first one leaves on the disk, such as decoded images.
        """
        if self.local_rank > 0:
            self.barrier()
        yield
        if self.local_rank == 0:
            self.barrier()

    def _share_of(self, rank: int, count: int) -> slice:
        least, more = divmod(count, self.world)
        start = rank * least + min(rank, more)
        return slice(start, start + least + (rank < more))


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, outputs: Tensor, ranks: Ranks, count: int, views: int) -> Tensor:
        ctx.ranks, ctx.count, ctx.views = ranks, count, views
        shares = [ranks._share_of(rank, count) for rank in range(ranks.world)]
        sizes = [share.stop - share.start for share in shares]
        # Messages have one length: shorter shares are filled up.
        mine = outputs.new_zeros((views, max(sizes), *outputs.shape[1:]))
        mine[:, : sizes[ranks.rank]] = outputs.unflatten(0, (views, sizes[ranks.rank]))
        parts = [torch.empty_like(mine) for _ in sizes]
        distributed.all_gather(parts, mine)
        own = [part[:, :size] for part, size in zip(parts, sizes, strict=True)]
        return torch.cat(own, dim=1).flatten(0, 1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return ctx.ranks.own_rows(grads[0], ctx.count, ctx.views), None, None, None


def _start(backend: str) -> None:
    try:
        distributed.init_process_group(backend, timeout=_PATIENCE)
    except RuntimeError as error:
        where = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        reason = (str(error).strip().splitlines() or ["no reason given"])[0]
        raise TrainingError(
            f"The processes that torchrun started did not find each other at {where}; check "
            f"that this address can be reached ({reason})."
        ) from error


def _in_messages(tensors: Sequence[Tensor], send: Callable[[Tensor], Any]) -> None:
    """Change tensors in place by a collective operation, many of them at a time."""
    by_kind: dict[tuple[torch.dtype, torch.device], list[Tensor]] = {}
    for tensor in tensors:
        by_kind.setdefault((tensor.dtype, tensor.device), []).append(tensor)
    for group in by_kind.values():
        while group:
            message = [group.pop(0)]
            while group and sum(t.numel() for t in message) + group[0].numel() <= _MESSAGE:
                message.append(group.pop(0))
            flat = torch.cat([tensor.flatten() for tensor in message])
            send(flat)
            pieces = flat.split([tensor.numel() for tensor in message])
            for tensor, piece in zip(message, pieces, strict=True):
                tensor.copy_(piece.view(tensor.shape))
