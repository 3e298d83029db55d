"""How fast and how good is a t-SNE on this GPU, beside openTSNE on the CPU?

    python benchmarks/layout_speed.py RUN [--device cuda] [--patches N ...] [--without-peer]

Of the features of a saved run, and of more patches than it has (its features, repeated with a
tenth of their deviation as noise). Printed are seconds of the whole layout, the loss of t-SNE
(Kullback-Leibler divergence, by openTSNE's own function) and the share of each patch's 15
nearest in features that are among its 15 nearest on the map.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from openTSNE.affinity import PerplexityBasedNN
from openTSNE.nearest_neighbors import PrecomputedNeighbors
from openTSNE.tsne import kl_divergence_fft

from napari_patchmap.layout.neighbour_search import nearest
from napari_patchmap.layout.tsne import Tsne
from napari_patchmap.runs import Run

#: Patches of which neighbours are compared.
_ASKED = 2_000

#: openTSNE's grid.
_GRID = {"n_interpolation_points": 3, "min_num_intervals": 50, "ints_in_interval": 1}


def repeated(features: np.ndarray, patches: int) -> np.ndarray:
    """Return features of so many patches."""
    rng = np.random.default_rng(0)
    if patches <= len(features):
        return features[rng.permutation(len(features))[:patches]]
    more = features[rng.integers(0, len(features), patches)]
    noise = rng.normal(size=more.shape).astype(np.float32)
    return more + 0.1 * features.std(axis=0) * noise


def loss(features: np.ndarray, points: np.ndarray, tsne: Tsne, device: torch.device) -> float:
    """Return the Kullback-Leibler divergence of a map."""
    perplexity = tsne.perplexity_of(len(features))
    near, apart = nearest(features, int(3 * perplexity), tsne.metric, device=device)
    index = PrecomputedNeighbors(near, apart.astype(np.float64))
    similar = PerplexityBasedNN(perplexity=perplexity, knn_index=index).P
    places = points.astype(np.float64)
    return float(kl_divergence_fft(places, similar, 1, _GRID, should_eval_error=True)[0])


def kept(features: np.ndarray, points: np.ndarray, tsne: Tsne, device: torch.device) -> float:
    """Return the share of nearest patches that are nearest on the map, too."""
    rows = np.random.default_rng(1).permutation(len(features))[:_ASKED]
    near = nearest(features, 15, tsne.metric, device=device)[0][rows]
    on_map = nearest(points, 15, device=device)[0][rows]
    return float((near[:, :, None] == on_map[:, None, :]).any(axis=2).mean())


def main() -> None:
    """Print a row for each way and number of patches."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--patches", type=int, nargs="+")
    parser.add_argument("--without-peer", action="store_true")
    parser.add_argument("--last-exaggeration", type=float, default=0.0)
    asked = parser.parse_args()
    device, jobs = torch.device(asked.device), torch.get_num_threads()
    tsne = Tsne(metric="cosine", last_exaggeration=asked.last_exaggeration)
    features = np.asarray(Run.load(asked.run).features, np.float32)
    print("| patches | t-SNE | seconds | loss | neighbours kept |\n|---|---|---|---|---|")
    for patches in asked.patches or [len(features)]:
        some = repeated(features, patches)
        ways = {f"on {device}": device, f"openTSNE, {jobs} threads": torch.device("cpu")}
        for name, where in list(ways.items())[: 1 if asked.without_peer else 2]:
            began = time.perf_counter()
            points = tsne.lay_out(some, jobs=jobs, device=where)
            seconds = time.perf_counter() - began
            left = loss(some, points, tsne, device)
            share = kept(some, points, tsne, device)
            row = f"| {patches:,} | {name} | {seconds:.1f} | {left:.3f} | {share:.1%} |"
            print(row, flush=True)


if __name__ == "__main__":
    main()
