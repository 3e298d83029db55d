"""The forces of a t-SNE, computed on a GPU; openTSNE moves the points.

openTSNE takes a function in place of its own gradients, so that everything else is the same
on every device: settings, steps, seeds, looks, and placing new points. With ``w`` for the
similarity ``1 / (1 + |y_i - y_j|^2)`` of two points, the gradient of the loss is (van der
Maaten and Hinton 2008, eq. 5, without its factor of 4, which openTSNE leaves to the rate)

    sum_j p_ij w_ij (y_i - y_j)  -  sum_j w_ij^2 (y_i - y_j) / Z,   Z = sum of all w.

The second sum is over all pairs: directly for tens of thousands of points, and interpolated on
a grid for more (Linderman et al., "Fast interpolation-based t-SNE", Nature Methods 2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from napari_patchmap.networks.device import free_memory

#: Up to so many points, and in three dimensions always, all pairs are computed.
MOST_PAIRED = 40_000

#: Arrays of pairs that are in memory at once, the share of free memory they may take, and
#: the most pairs: more at once are not faster.
_ARRAYS, _SHARE, _MOST_AT_ONCE = 6, 0.25, 2**28

#: Nodes across each cell of the grid, the fewest cells a side, and how wide a cell is at most:
#: twice as many as openTSNE has, for here finer ones cost little.
_NODES, _FEWEST_CELLS, _CELL = 3, 100, 0.5

#: Cells grow by so many at a time, for each size of a Fourier transform is prepared once.
_CELLS_AT_A_TIME = 16

#: Weights are added as whole numbers, so many to one: sums then do not depend on their order,
#: which no GPU promises, and the same seed makes the same map.
_WHOLE = 2.0**40


def computes_forces(device: torch.device) -> bool:
    """Whether the forces of a t-SNE are computed on this device rather than by openTSNE."""
    return device.type == "cuda"


class DeviceForces:
    """What openTSNE asks for the gradient of a map, answered by a GPU.

    Parameters
    ----------
    device : torch.device
    paired : int
        Up to so many points all pairs are computed.
    """

    def __init__(self, device: torch.device, paired: int = MOST_PAIRED) -> None:
        self._device, self._paired = device, paired
        self._pulls: _Pulls | None = None

    def __call__(
        self,
        embedding: np.ndarray,
        P: csr_matrix,
        *,
        should_eval_error: bool = False,
        **_: Any,
    ) -> tuple[float, np.ndarray]:
        """Return the loss (0 unless it is asked for) and its gradient.

        Parameters
        ----------
        embedding : ndarray of float64, shape (n, 2) or (n, 3)
        P : csr_matrix of float64, shape (n, n)
            Similarities of features, times the exaggeration.

        Returns
        -------
        loss : float
            Kullback-Leibler divergence from P, as openTSNE states it.
        gradient : ndarray of float64, shape (n, 2) or (n, 3)
        """
        if self._pulls is None or not self._pulls.of(P):
            self._pulls = _Pulls(P, self._device)
        points = torch.from_numpy(np.ascontiguousarray(embedding, np.float32))
        points = points.to(self._device)
        pull, pulled = self._pulls.forces(points, loss=should_eval_error)
        on_grid = points.shape[1] == 2 and len(points) > self._paired
        push, total = _pushed_on_grid(points) if on_grid else _pushed_by_pairs(points)
        exaggeration = self._pulls.exaggeration(P)
        gradient = (exaggeration * pull - push / total).double().cpu().numpy()
        if not should_eval_error:
            return 0.0, gradient
        share = exaggeration * self._pulls.sum
        kept = exaggeration * self._pulls.entropy + share * np.log(exaggeration)
        return float(kept + exaggeration * pulled + share * np.log(float(total))), gradient


class _Pulls:
    """Similarities of features on a device, without exaggeration."""

    def __init__(self, similar: csr_matrix, device: torch.device) -> None:
        self._indices, values = similar.indices, np.array(similar.data)
        self._largest = int(values.argmax()) if len(values) else 0
        self._value = float(values[self._largest]) if len(values) else 1.0
        self.sum = float(values.sum())
        self.entropy = float((values * np.log(np.maximum(values, 1e-300))).sum())
        lengths = np.diff(similar.indptr)
        self._parts = [
            _Rows(
                slice(first, last),
                torch.from_numpy(np.repeat(np.arange(first, last), lengths[first:last])),
                torch.from_numpy(np.array(similar.indices[begin:end], np.int64)),
                torch.from_numpy(values[begin:end].astype(np.float32)),
                torch.from_numpy(lengths[first:last].astype(np.int64)),
            ).to(device)
            for first, last, begin, end in _runs(similar.indptr)
        ]

    def of(self, similar: csr_matrix) -> bool:
        """Whether these are the similarities of a matrix, however exaggerated."""
        return self._indices is similar.indices

    def exaggeration(self, similar: csr_matrix) -> float:
        """How much larger they are there."""
        return float(similar.data[self._largest]) / self._value if len(similar.data) else 1.0

    def forces(self, points: Tensor, *, loss: bool) -> tuple[Tensor, float]:
        """Return how points (n, d) are pulled, (n, d), and if wanted the sum of -p log w."""
        pull, pulled = torch.zeros_like(points), 0.0
        for part in self._parts:
            apart = points[part.mine] - points[part.theirs]
            far = apart.square().sum(dim=1).add_(1)
            if loss:
                pulled += float((part.values * far.log()).sum(dtype=torch.float64))
            apart *= (part.values / far)[:, None]
            pull[part.rows] = torch.segment_reduce(apart, "sum", lengths=part.lengths)
        return pull, pulled


@dataclass(frozen=True)
class _Rows:
    """Some rows of similarities: whose they are, to whom, how much, and how many each has."""

    rows: slice
    mine: Tensor
    theirs: Tensor
    values: Tensor
    lengths: Tensor

    def to(self, device: torch.device) -> _Rows:
        moved = (
            part.to(device) for part in (self.mine, self.theirs, self.values, self.lengths)
        )
        return _Rows(self.rows, *moved)


def _runs(starts: np.ndarray, most: int = 2**25) -> list[tuple[int, int, int, int]]:
    """Cut rows, which start there, into runs of at most so many values (or of one row)."""
    runs, first = [], 0
    while first < len(starts) - 1:
        last = int(np.searchsorted(starts, starts[first] + most, side="right")) - 1
        last = min(max(last, first + 1), len(starts) - 1)
        runs.append((first, last, int(starts[first]), int(starts[last])))
        first = last
    return runs


def _pushed_by_pairs(points: Tensor) -> tuple[Tensor, Tensor]:
    """Return how points (n, d) push each other away, (n, d), and the sum of similarities."""
    count, dimensions = points.shape
    at_once = free_memory(points.device) * _SHARE / (4 * _ARRAYS)
    rows = max(1, int(min(at_once, _MOST_AT_ONCE)) // count)
    axes = points.T.contiguous()
    push = torch.empty_like(points)
    # Each point is also compared with itself, which gives 1.
    total = torch.full((), -float(count), dtype=torch.float64, device=points.device)
    for first in range(0, count, rows):
        part = slice(first, first + rows)
        # Differences, not products of matrices: those lose the digits of near points.
        apart = [axis[part, None] - axis[None, :] for axis in axes]
        near = torch.ones_like(apart[0])
        for axis in apart:
            near.addcmul_(axis, axis)
        near.reciprocal_()
        total += near.sum(dtype=torch.float64)
        near.square_()
        for number in range(dimensions):
            push[part, number] = apart[number].mul_(near).sum(dim=1)
    return push, total


def _pushed_on_grid(points: Tensor) -> tuple[Tensor, Tensor]:
    """The same, interpolated: (n, 2) points give their weight to nodes of a grid around them.

    All nodes are compared at once by Fourier transforms, with three kernels: that of the
    similarity, for its sum, and those of its square times the difference along each axis. So no
    large numbers are subtracted from each other, as they are where coordinates are charges.
    """
    low = points.amin(dim=0)
    width = float((points.amax(dim=0) - low).max())
    cells = max(_FEWEST_CELLS, int(np.ceil(width / _CELL)))
    cells += -cells % _CELLS_AT_A_TIME
    side, step = cells * _NODES, max(width, 1e-12) / (cells * _NODES)
    places, weights = _shares(points, low, cells, step * _NODES)
    charges = torch.zeros(side * side, dtype=torch.int64, device=points.device)
    whole = (weights.double() * _WHOLE).round().long()
    charges.index_add_(0, places.ravel(), whole.ravel())
    charge = (charges.double() / _WHOLE).float().view(1, side, side)
    seen = torch.fft.rfft2(charge, s=(2 * side, 2 * side))
    seen = seen * torch.fft.rfft2(_kernels(side, step, points.device))
    fields = torch.fft.irfft2(seen, s=(2 * side, 2 * side))[:, :side, :side]
    felt = (fields.reshape(3, -1)[:, places] * weights).sum(dim=2)
    return felt[1:].T, felt[0].sum(dtype=torch.float64) - len(points)


def _shares(points: Tensor, low: Tensor, cells: int, cell: float) -> tuple[Tensor, Tensor]:
    """Return the nodes around points, (n, 9), and the weights by which they stand for them.

    The weights are Lagrange's polynomials through the nodes of the cell.
    """
    inside = (points - low) / cell
    first = inside.floor().clamp_(0, cells - 1)
    inside = inside - first
    nodes = [(node + 0.5) / _NODES for node in range(_NODES)]
    polynomials = []
    for node in nodes:
        others = [other for other in nodes if other != node]
        terms = [(inside - other) / (node - other) for other in others]
        polynomials.append(torch.stack(terms).prod(dim=0))
    along = torch.stack(polynomials, dim=2)  # (n, 2, nodes)
    weights = (along[:, 0, :, None] * along[:, 1, None, :]).flatten(1)
    places = first.long()[:, :, None] * _NODES + torch.arange(_NODES, device=points.device)
    places = places[:, 0, :, None] * (cells * _NODES) + places[:, 1, None, :]
    return places.flatten(1), weights


def _kernels(side: int, step: float, device: torch.device) -> Tensor:
    """Return what nodes of a grid do to its first, (3, 2 side, 2 side), in both directions."""
    apart = torch.arange(2 * side, device=device)
    apart = torch.where(apart < side, apart, apart - 2 * side).float() * step
    near = (1 + apart[:, None].square() + apart[None, :].square()).reciprocal_()
    square = near.square()
    return torch.stack([near, apart[:, None] * square, apart[None, :] * square])
