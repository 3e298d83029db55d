"""Nearest neighbours among hundreds of thousands, nearly always the true ones.

Points are sorted into cells around some of them, and each looks into the cells nearest to its
own only (an inverted file: Jégou, Douze and Schmid, "Product quantization for nearest neighbor
search", IEEE PAMI 33, 2011), by the first principal components.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from napari_patchmap.layout.neighbour_search import Metric, nearest
from napari_patchmap.patches.watch import UNWATCHED, Watch

#: Up to so many points all pairs are compared.
_EXACT = 25_000

#: Dimensions that points are brought to, and points that these are found from.
_DIMENSIONS, _SEEN = 64, 20_000

#: Cells that each looks into, and the most points that it looks at in them.
_CELLS, _MOST = 8, 16_384

#: Rows of a cell that are compared at once.
_STEP = 1024


def rough_neighbours(
    points: np.ndarray,
    count: int,
    metric: Metric = "euclidean",
    watch: Watch = UNWATCHED,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest other points of each; of many, nearly all of them.

    Parameters
    ----------
    points : ndarray of float, shape (n, d)
    count : int
        Neighbours of each; fewer if there are not so many others.
    metric : {"euclidean", "cosine"}
    watch : Watch
        Told how many of how many points have theirs.

    Returns
    -------
    indices : ndarray of int64, shape (n, count)
        The nearest first, never the point itself; -1 where none was found.
    distances : ndarray of float32, shape (n, count)
        Infinite where none was found. That of the cosine is 1 minus the cosine. Of many
        points those of the first 64 principal components.
    """
    if len(points) <= _EXACT:
        return nearest(points, count, metric)
    whole = torch.from_numpy(np.ascontiguousarray(points, np.float32))
    if metric == "cosine":
        whole = torch.nn.functional.normalize(whole, dim=1)
    short = _shortened(whole)
    cells, centres = _cells(short)
    order = torch.argsort(cells, stable=True)
    starts = torch.cat([torch.zeros(1, dtype=torch.long), torch.bincount(cells).cumsum(0)])
    near = torch.cdist(centres, centres).topk(min(_CELLS, len(centres)), largest=False).indices
    indices = torch.full((len(points), count), -1)
    distances = torch.full((len(points), count), torch.inf)
    done = 0
    for cell, around in enumerate(near):
        own = order[starts[cell] : starts[cell + 1]]
        if not len(own):
            continue
        among = torch.cat([order[starts[one] : starts[one + 1]] for one in around.tolist()])
        if len(among) > _MOST:  # crowds of points that are alike: any of them will do
            among = among[torch.linspace(0, len(among) - 1, _MOST).long()]
        for some in own.split(_STEP):
            indices[some], distances[some] = _nearest(short, some, among, count)
        done += len(own)
        if watch.ends(done, len(points)):
            break
    if metric == "cosine":
        distances = distances.square() / 2  # of points of length 1
    return indices.numpy(), distances.numpy()


def _shortened(points: Tensor) -> Tensor:
    """Return the principal components of points, as many as there can be but a few."""
    if points.shape[1] <= _DIMENSIONS:
        return points - points.mean(dim=0)
    some = points[torch.linspace(0, len(points) - 1, min(_SEEN, len(points))).long()]
    middle = some.mean(dim=0)
    _, axes = torch.linalg.eigh((some - middle).T @ (some - middle))
    return (points - middle) @ axes[:, -_DIMENSIONS:]


def _cells(points: Tensor) -> tuple[Tensor, Tensor]:
    """Return the cell of each point, (n,), and the middle of each cell."""
    count = int(len(points) ** 0.5)
    draw = torch.Generator().manual_seed(0)
    some = points[torch.randperm(len(points), generator=draw)[: 32 * count]]
    centres = some[:count].clone()
    for _ in range(4):  # a few steps of k-means spread them
        cell = _nearest_centre(some, centres)
        sums = torch.zeros_like(centres).index_add_(0, cell, some)
        sizes = torch.bincount(cell, minlength=count)
        centres = torch.where((sizes > 0)[:, None], sums / sizes.clamp_min(1)[:, None], centres)
    return _nearest_centre(points, centres), centres


def _nearest_centre(points: Tensor, centres: Tensor) -> Tensor:
    squares = centres.square().sum(dim=1) / 2
    parts = [
        torch.addmm(-squares, part, centres.T).argmax(dim=1) for part in points.split(8192)
    ]
    return torch.cat(parts)


def _nearest(points: Tensor, rows: Tensor, among: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the nearest among some points of others, none of which is its own."""
    theirs, mine = points[among], points[rows]
    apart = torch.addmm(theirs.square().sum(dim=1) / 2, mine, theirs.T, alpha=-1)
    found = apart.topk(min(count + 1, len(among)), dim=1, largest=False).indices
    indices = among[found]
    # Directly: what was subtracted from each other above is rounded.
    distances = (mine[:, None] - theirs[found]).square().sum(dim=2).sqrt()
    distances[indices == rows[:, None]] = torch.inf
    distances, best = distances.sort(dim=1, stable=True)
    indices = indices.gather(1, best)
    indices[distances.isinf()] = -1
    wide = max(0, count - indices.shape[1])
    indices = torch.nn.functional.pad(indices, (0, wide), value=-1)
    distances = torch.nn.functional.pad(distances, (0, wide), value=torch.inf)
    return indices[:, :count], distances[:, :count]
