"""Several processes that train one run together, started by torchrun."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed, nn

from napari_patchmap.errors import TrainingError
from napari_patchmap.training.distributed.collectives import broadcast_together, gather_rows

#: What torchrun tells every process that it starts.
_VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")

#: How long a process waits for another, which may be reading a slide or laying out a map.
#: torchrun itself ends all processes when one of them fails.
_PATIENCE = timedelta(hours=12)


@dataclass(frozen=True)
class Ranks:
    """This process's place among those that train a run together.

    All hold the same patches and weights and draw the same random numbers. Each
    computes the views and outputs of its share of every batch; outputs are
    gathered, so that all see the loss of the whole batch with all its negatives,
    and gradients come together (:class:`SharedGradients`). ``Ranks()`` is a process alone,
    for which nothing here costs anything.
    """

    #: From 0, of all processes on all computers; that of rank 0 reports and writes.
    rank: int = 0
    world: int = 1
    #: What :func:`choose_device` has to be asked for.
    device: str = "auto"
    #: Processes on this computer.
    here: int = 1
    _started: bool = field(default=False, repr=False)

    @classmethod
    def from_environment(cls, device: str = "auto") -> Ranks:
        """Join the other processes if torchrun started this one; otherwise be alone.

        Can be called again, by other parts of the program; whoever was first has
        to close. With GPUs, the process's own becomes torch's current one. Raises a
        TrainingError if there are more processes than GPUs, or they do not find each other.
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
        here = int(os.environ.get("LOCAL_WORLD_SIZE", world))
        return cls(rank, world, device, here, started)

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
        sizes = self._sizes(count)
        start = sum(sizes[: self.rank])
        return slice(start, start + sizes[self.rank])

    def largest_share(self, count: int) -> int:
        """Patches of the process with the most.

        Who works in parts has to make as many of them as that process, empty
        ones if need be: synchronised batch normalisation waits for all.
        """
        return max(self._sizes(count))

    def gather(self, outputs: Tensor, count: int) -> Tensor:
        """Return the outputs of all processes in the order of the whole batch.

        The gradient goes back to this process's own rows, from the losses of all processes,
        which are the same loss: it is that of one, times their number. The mean over the
        processes of a parameter's gradient, each from its own patches, is then
        that of the loss.

        Outputs are (2 x patches of this process, ...), first views of all its patches, then
        their second views; what is returned is (2 x count, ...), for the whole batch, in
        float32 or float64.
        """
        outputs = outputs.to(torch.promote_types(outputs.dtype, torch.float32))
        if self.world == 1:
            return outputs
        sizes = self._sizes(count)
        rows = outputs.unflatten(0, (2, sizes[self.rank]))
        return gather_rows(rows, sizes, self.rank).flatten(0, 1)

    # One decision for all.

    def broadcast(self, module: nn.Module) -> None:
        """Give all processes the weights and buffers of rank 0."""
        if self.world > 1:
            broadcast_together([*module.parameters(), *module.buffers()])

    def broadcast_number(self, value: float) -> float:
        """Return the number that rank 0 gave, such as the time on its clock."""
        return self._of_all(value, lambda number: distributed.broadcast(number, 0))

    def from_main(self, make: Callable[[], Tensor]) -> Tensor:
        """Let rank 0 make a tensor, and return it to all, on the CPU if there are several."""
        if self.world == 1:
            return make()
        made = [make().detach().cpu().contiguous() if self.is_main else None]
        distributed.broadcast_object_list(made, 0, device=torch.device("cpu"))
        assert made[0] is not None
        return made[0]

    def agree(self, value: bool) -> bool:
        """Whether any process says yes."""
        return self.least(-int(value)) < 0

    def least(self, value: float) -> float:
        """Return the smallest of the numbers that the processes give."""
        return self._of_all(
            value, lambda number: distributed.all_reduce(number, distributed.ReduceOp.MIN)
        )

    def _of_all(self, value: float, operation: Callable[[Tensor], Any]) -> float:
        if self.world == 1:
            return value
        number = torch.tensor([value], dtype=torch.float64)
        operation(number)
        return float(number)

    def _sizes(self, count: int) -> list[int]:
        """Patches of each process."""
        least, more = divmod(count, self.world)
        return [least + (rank < more) for rank in range(self.world)]


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
