"""Where single patches belong on a t-SNE on which all others stay where they are."""

from __future__ import annotations

import numpy as np
import torch
from openTSNE import TSNEEmbedding
from openTSNE.affinity import Affinities, joint_probabilities_nn
from openTSNE.tsne import PartialTSNEEmbedding
from scipy.sparse import csr_matrix
from torch import Tensor

from napari_patchmap.layout.neighbour_search import nearest_of
from napari_patchmap.layout.tsne import Tsne

#: Iterations and their rate; more move no point by more than a thousandth of the map.
_ITERATIONS, _RATE, _MOST_GRADIENT = 100, 0.5, 0.25

#: Distances that are in memory at once.
_PAIRS = 2**23


class HeldMap:
    """A t-SNE that stays as it is, on which single patches are placed.

    Where all points but one are held, what is left of the loss of t-SNE is a landscape in
    which that one rests in a valley (the LOO loss of Liu, Ma and Zhong 2025). openTSNE's
    ``PartialTSNEEmbedding`` goes down in it, with the perplexity and the last exaggeration of
    the map, from three places as they do: where the patch lies, and where the two that are
    most like it lie. The deepest counts.

    Parameters
    ----------
    tsne : Tsne
        As the map was made.
    features : ndarray of float, shape (n, f)
    embedding : ndarray of float, shape (n, 2) or (n, 3)
    jobs : int
        Threads.
    """

    def __init__(
        self, tsne: Tsne, features: np.ndarray, embedding: np.ndarray, *, jobs: int = 1
    ) -> None:
        self._features, self._metric, self._jobs = features, tsne.metric, jobs
        self._perplexity = tsne.perplexity_of(len(features))
        self._exaggeration = tsne.last_exaggeration or tsne.exaggeration
        places = np.array(embedding, np.float64)
        # openTSNE would move the held points there, and with them whatever is placed.
        self._centre = (places.max(axis=0) + places.min(axis=0)) / 2
        self._places = places - self._centre
        # Of so many placed at once interpolation is faster, however few are held.
        self._method = "fft" if places.shape[1] == 2 else "bh"
        unused = Affinities()  # they are of the held points to each other
        unused.P = csr_matrix((len(places), len(places)))
        self._held = TSNEEmbedding(
            self._places.copy(), unused, negative_gradient_method=self._method, n_jobs=jobs
        )

    def place(self, features: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Place patches of some features, each alone.

        Parameters
        ----------
        features : ndarray of float, shape (m, f)
        own : ndarray of int, shape (m,)
            Which patch of the map each is: that is none of its own neighbours.

        Returns
        -------
        ndarray of float64, shape (m, dimensions)
        """
        near, apart = nearest_of(
            features, self._features, int(3 * self._perplexity), self._metric, without=own
        )
        pulls = joint_probabilities_nn(
            near,
            apart.astype(np.float64),
            [self._perplexity],
            symmetrize=False,
            normalization="point-wise",
            n_reference_samples=len(self._places),
            n_jobs=self._jobs,
        )
        best = np.full(len(own), np.inf)
        found = np.empty((len(own), self._places.shape[1]))
        for start in (own, near[:, 0], near[:, 1]):
            point = PartialTSNEEmbedding(
                self._places[start].copy(),
                self._held,
                P=pulls,
                negative_gradient_method=self._method,
                n_jobs=self._jobs,
            )
            point.optimize(
                _ITERATIONS,
                learning_rate=_RATE,
                exaggeration=self._exaggeration,
                momentum=0.8,
                inplace=True,
                propagate_exception=True,
                max_grad_norm=_MOST_GRADIENT,
            )
            ends = np.asarray(point)
            loss = self._loss(ends, pulls)
            better = loss < best
            best[better], found[better] = loss[better], ends[better]
        return found + self._centre

    def _loss(self, points: np.ndarray, pulls: csr_matrix) -> np.ndarray:
        """The part of t-SNE's loss that depends on where each point is, (m,)."""
        apart = np.zeros(pulls.nnz)
        rows = np.repeat(np.arange(len(points)), np.diff(pulls.indptr))
        for mine, theirs in zip(points.T, self._places.T, strict=True):
            apart += np.square(mine[rows] - theirs[pulls.indices])
        pulled = np.bincount(rows, pulls.data * np.log1p(apart), len(points))
        held = torch.from_numpy(self._places).float()
        pushed = [
            _pushed(part, held)
            for part in torch.from_numpy(points).float().split(max(1, _PAIRS // len(held)))
        ]
        loss: np.ndarray = self._exaggeration * pulled + torch.cat(pushed).log().numpy()
        return loss


def _pushed(points: Tensor, held: Tensor) -> Tensor:
    """Sum the similarities of some points to all that are held, (b,)."""
    apart = torch.ones(len(points), len(held))
    for axis in range(held.shape[1]):
        apart += (points[:, axis, None] - held[None, :, axis]).square_()
    return apart.reciprocal_().sum(dim=1)
