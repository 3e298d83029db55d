"""Gradients of all processes, added up while they are computed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from napari_patchmap.networks import Network
from napari_patchmap.networks.backbones import BACKBONES
from napari_patchmap.training.distributed.ranks import Ranks

#: From a part of a batch to the network's outputs for it.
Produce = Callable[[slice], Tensor]


class SharedGradients:
    """Runs a network so that backward passes leave the gradients of all processes in it.

    That is torch's ``DistributedDataParallel``: while layers near the input are still
    computed, the gradients of those near the output are on their way. It is made anew for
    each stage, after the weights that rest have been told. Of a process alone there is
    nothing to be shared.

    What is averaged over the processes is the gradient that each of them gets from
    :meth:`Ranks.gather`.
    """

    def __init__(self, network: Network, ranks: Ranks) -> None:
        self._parallel: DistributedDataParallel | None = None
        if ranks.world == 1:
            return
        self._parallel = DistributedDataParallel(
            _Learned(network),
            gradient_as_bucket_view=True,  # no second copy of them
            # Some of timm have weights that nothing goes through; to look costs time.
            find_unused_parameters=network.spec.backbone not in BACKBONES,
        )

    def run(self, produce: Produce, part: slice, *, last: bool = True) -> Tensor:
        """Return ``produce(part)``; gradients add up here, and go around with the last part."""
        if self._parallel is None:
            return produce(part)
        with nullcontext() if last else self._parallel.no_sync():
            outputs: Tensor = self._parallel(produce, part)
            return outputs


class _Learned(nn.Module):
    """The weights that a network learns, and whatever runs it, as torch wants them.

    A network is run by its parts, some of them without gradients, so it is not called itself.
    What rests need not be shared, nor statistics of batch normalisation, which
    :mod:`~napari_patchmap.networks.norms` keeps the same everywhere (on a CPU, torch
    would refuse to). The network's own names stay as they are, in checkpoints, too.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.weights = nn.ParameterList(p for p in network.parameters() if p.requires_grad)

    def forward(self, produce: Produce, part: slice) -> Tensor:
        return produce(part)
