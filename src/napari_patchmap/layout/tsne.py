"""t-SNE of features, and placing new ones in it.

openTSNE (Poličar, Stražar and Zupan, "openTSNE: a modular Python library for t-SNE
dimensionality reduction and embedding", 2019) with its defaults, as Nwabufo et al.
use it: perplexity 30, PCA initialisation, Euclidean distance, 250 iterations of
early exaggeration and 500 more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from openTSNE import TSNE, TSNEEmbedding, initialization
from openTSNE.affinity import PerplexityBasedNN
from openTSNE.nearest_neighbors import PrecomputedNeighbors

from napari_patchmap.errors import ConfigError
from napari_patchmap.layout.device_forces import MOST_PAIRED, DeviceForces, computes_forces
from napari_patchmap.layout.neighbour_search import Metric, nearest
from napari_patchmap.networks.device import CPU
from napari_patchmap.patches.watch import UNWATCHED, Watch

Start = Literal["pca", "spectral", "random"]

#: Told the iterations that are done and the map as it is; says whether to end.
LayoutWatch = Callable[[int, np.ndarray], bool]

#: Iterations of early exaggeration and after it.
EARLY, LATER = 250, 500

#: Iterations at the end with another exaggeration, if one is wanted.
LAST = 100

#: Up to so many patches all pairs are compared to find neighbours, which is as fast as
#: an approximation; openTSNE's own search is used for more, unless a GPU compares them.
_MOST_EXACT = 60_000

#: From so many patches on openTSNE interpolates forces on a grid, in two dimensions.
INTERPOLATED = 10_000

#: Iterations between two looks.
EVERY = 10

#: Patches of a layout by which time is measured at most, if it is interpolated and if not;
#: its iterations at a time, and how often.
_MADE_UP, _FEWER, _AT_ONCE, _TIMES = 20_000, 4_000, 5, 3

#: Neighbours in the map by which a new point is placed at first.
_PLACING = 25


#: What an iteration costs beside one of the early phase, after that and with the last
#: exaggeration: points lie further and further apart, and openTSNE's grid has more nodes.
_LATER_COST, _LAST_COST = 2.5, 4.0

#: Neighbours of so many patches cost as much as the early phase, and grow with the square.
_SLOW_NEIGHBOURS = 17_000


@dataclass(frozen=True)
class Tsne:
    """Settings of a t-SNE.

    Parameters
    ----------
    perplexity : float
        About as many neighbours of each patch count; lowered to a third of the
        patches if those are few.
    exaggeration : float
        How much more than in plain t-SNE (1) neighbours attract each other after
        the early phase; 2 to 4 sets groups apart, at the cost of detail.
    start : {"pca", "spectral", "random"}
        First positions.
    metric : {"euclidean", "cosine"}
        Distance of features.
    dimensions : {2, 3}
    seed : int
        Same seed, same number of threads, same machine: same map.
    iterations : int
        After the early phase.
    last_exaggeration : float
        If not 0, that of 100 more iterations at the end.

    Raises
    ------
    ConfigError
        If there are other dimensions.
    """

    perplexity: float = 30.0
    exaggeration: float = 1.0
    start: Start = "pca"
    metric: Metric = "euclidean"
    dimensions: int = 2
    seed: int = 0
    iterations: int = LATER
    last_exaggeration: float = 0.0

    def __post_init__(self) -> None:
        if self.dimensions not in (2, 3):
            raise ConfigError(
                f"t-SNE makes maps of 2 or 3 dimensions, not of {self.dimensions}."
            )

    @property
    def steps(self) -> int:
        """Iterations in all."""
        return self.before_last + (LAST if self.last_exaggeration else 0)

    @property
    def before_last(self) -> int:
        """Iterations before those with the last exaggeration."""
        return EARLY + self.iterations

    def cost(self, iterations: int, patches: int, device: torch.device = CPU) -> float:
        """Return what so many patches cost until so many iterations are made, about.

        The unit is what an iteration of the early phase takes for a patch.
        """
        found = EARLY * min(patches, _MOST_EXACT) / _SLOW_NEIGHBOURS
        later = min(max(0, iterations - EARLY), self.iterations)
        last = max(0, iterations - self.before_last)
        if computes_forces(device):  # all iterations are alike, and neighbours cost little
            return patches * (EARLY / 4 + min(iterations, EARLY) + later + last)
        moved = min(iterations, EARLY) + _LATER_COST * later + _LAST_COST * last
        return patches * (found + moved)

    def lay_out(
        self,
        features: np.ndarray,
        *,
        jobs: int = 1,
        device: torch.device = CPU,
        watch: LayoutWatch | None = None,
        hurry: Callable[[int], bool] | None = None,
    ) -> np.ndarray:
        """Lay features out as a map.

        Parameters
        ----------
        features : ndarray of float, shape (n, d)
        jobs : int
            Threads.
        device : torch.device
            On a CUDA GPU neighbours and forces are computed there, all of them exactly up
            to tens of thousands of patches, and openTSNE moves the points.
        watch : callable, optional
            Asked every ten iterations; True ends with the map as it is.
        hurry : callable, optional
            Asked every ten iterations before those with the last exaggeration; True
            goes on to them at once.

        Returns
        -------
        ndarray of float32, shape (n, dimensions)
        """
        count, done, stopped = len(features), 0, False

        def look(_iteration: int, _error: float, embedding: np.ndarray) -> bool:
            nonlocal done, stopped
            done += EVERY
            stopped = watch is not None and watch(done, np.asarray(embedding, np.float32))
            waits = self.last_exaggeration and done < self.before_last
            if not stopped and waits and hurry is not None and hurry(done):
                done = self.before_last
                return True
            return stopped

        features = np.ascontiguousarray(features, np.float64)
        perplexity = self.perplexity_of(count)
        on_gpu = computes_forces(device)
        if on_gpu or count <= _MOST_EXACT:
            where = device if on_gpu else None
            found = nearest(features, int(3 * perplexity), self.metric, device=where)
            index = PrecomputedNeighbors(found[0], found[1].astype(np.float64))
            affinities = PerplexityBasedNN(perplexity=perplexity, knn_index=index, n_jobs=jobs)
        else:
            affinities = PerplexityBasedNN(
                features,
                perplexity=perplexity,
                metric=self.metric,
                n_jobs=jobs,
                random_state=self.seed,
            )
        tsne = TSNE(
            n_components=self.dimensions,
            exaggeration=None if self.exaggeration == 1 else self.exaggeration,
            early_exaggeration_iter=EARLY,
            n_iter=self.iterations,
            n_jobs=jobs,
            random_state=self.seed,
            callbacks=look,
            callbacks_every_iters=EVERY,
            **self._gradient(device),
        )
        start = self._first_positions(features, affinities)
        layout = tsne.fit(affinities=affinities, initialization=start)
        if stopped or not self.last_exaggeration:
            return np.asarray(layout, np.float32)
        layout = layout.optimize(LAST, exaggeration=self.last_exaggeration)
        return np.asarray(layout, np.float32)

    def _first_positions(
        self, features: np.ndarray, affinities: PerplexityBasedNN
    ) -> np.ndarray:
        if self.start == "pca":
            return initialization.pca(features, self.dimensions, random_state=self.seed)
        if self.start == "spectral":
            return initialization.spectral(
                affinities.P, self.dimensions, random_state=self.seed
            )
        return initialization.random(len(features), self.dimensions, random_state=self.seed)

    def place(
        self, new: np.ndarray, features: np.ndarray, embedding: np.ndarray, *, jobs: int = 1
    ) -> np.ndarray:
        """Place new features (m, d) in a map that stays as it is.

        Each is put among its neighbours and then moved by t-SNE's forces from the
        map's points; new points do not feel each other (openTSNE's ``transform``
        with its defaults). ``embedding`` is what :meth:`lay_out` made of ``features``.

        Returns
        -------
        ndarray of float32, shape (m, dimensions)
        """
        if not len(new):
            return np.empty((0, embedding.shape[1]), np.float32)
        perplexity = self.perplexity_of(len(features))
        affinities = PerplexityBasedNN(
            np.ascontiguousarray(features, np.float64),
            perplexity=perplexity,
            metric=self.metric,
            n_jobs=jobs,
            random_state=self.seed,
        )
        places = np.array(embedding, np.float64)
        # openTSNE moves the map there before it places anything.
        centre = (places.max(axis=0) + places.min(axis=0)) / 2
        known = TSNEEmbedding(
            places - centre,
            affinities,
            n_jobs=jobs,
            random_state=self.seed,
            **self._gradient(),
        )
        placed = known.transform(
            np.ascontiguousarray(new, np.float64),
            perplexity=min(5.0, perplexity),
            k=min(_PLACING, len(features) - 1),
        )
        return np.asarray(placed + centre, np.float32)

    def perplexity_of(self, patches: int) -> float:
        """Return the perplexity for so many patches."""
        return min(self.perplexity, (patches - 1) / 3)

    def _gradient(self, device: torch.device = CPU) -> dict[str, Any]:
        if computes_forces(device):
            return {"negative_gradient_method": DeviceForces(device)}
        # Interpolation on a grid, which openTSNE takes for large sets, knows two dimensions.
        return {} if self.dimensions == 2 else {"negative_gradient_method": "bh"}


#: For maps within minutes: the last of the usual iterations take most of the time and move
#: points little. In the very last, neighbours attract each other more, which sets groups
#: apart and costs little of the neighbourhoods.
QUICK = Tsne(metric="cosine", iterations=250, last_exaggeration=2.0)


def early_iteration(
    patches: int,
    dimensions: int = 2,
    jobs: int = 1,
    device: torch.device = CPU,
    watch: Watch = UNWATCHED,
) -> float:
    """Measure about how long an iteration of the early phase takes here for each patch.

    A few are made of so many points, or of some if those are many, whose neighbours need
    not be searched: each has those beside it on a ring. It takes about half a second.

    Returns
    -------
    float
        Seconds for a patch.

    Raises
    ------
    LoadCancelled
        If ``watch``, which is asked between some iterations, wants to stop.
    """
    watch.check()
    fast = dimensions == 2 and patches >= INTERPOLATED
    on_gpu = computes_forces(device)
    most = MOST_PAIRED if on_gpu else _MADE_UP if fast else _FEWER
    count = min(patches, most)
    reach = max(1, min(45, (count - 1) // 2))
    aside = np.stack([np.arange(1, reach + 1), -np.arange(1, reach + 1)], axis=1).ravel()
    ring = (np.arange(count)[:, None] + aside) % count
    index = PrecomputedNeighbors(ring, np.tile(np.abs(aside).astype(float), (count, 1)))
    layout = TSNEEmbedding(
        1e-4 * np.random.default_rng(0).normal(size=(count, dimensions)),
        PerplexityBasedNN(perplexity=2 * reach / 3, knn_index=index, n_jobs=jobs),
        negative_gradient_method=DeviceForces(device) if on_gpu else "fft" if fast else "bh",
        n_jobs=jobs,
    )
    layout, seconds = layout.optimize(2, exaggeration=12), []  # the first have more to do
    for _ in range(_TIMES):
        watch.check()
        began = time.perf_counter()
        layout = layout.optimize(_AT_ONCE, exaggeration=12)
        seconds.append((time.perf_counter() - began) / _AT_ONCE)
    return min(seconds) / count
