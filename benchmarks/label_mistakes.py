"""Labels of some cells swapped by a seed: who is found, by us and by confident learning.

    python benchmarks/label_mistakes.py RUN [--share 0.02] [--seeds 3]

RUN is a saved run with labels. Labels are swapped in two ways: to any other one, and to one
that the neighbours among the features have, as people confuse. Cells that bore a wrong label
before count as false alarms, so no list can be perfect. cleanlab is asked where it is
installed (``pip install cleanlab``), with the same features and scikit-learn's logistic
regression, whose probabilities it computes out of sample by itself.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from napari_patchmap.find.mistakes import MistakesConfig, doubts
from napari_patchmap.layout.neighbour_search import nearest
from napari_patchmap.runs import Run

#: Neighbours by which labels are confused.
_CONFUSED = 50


def swapped(
    own: np.ndarray, near: np.ndarray, share: float, kind: str, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return labels of which a share is wrong, and which are, (n,) both."""
    rng = np.random.default_rng(seed)
    count = int(own.max()) + 1
    rows = rng.choice(len(own), round(share * len(own)), replace=False)
    labels = own.copy()
    if kind == "any other":
        labels[rows] = (own[rows] + rng.integers(1, count, len(rows))) % count
    else:
        confused = np.zeros((count, count))
        np.add.at(confused, (np.repeat(own, near.shape[1]), own[near].reshape(-1)), 1)
        np.fill_diagonal(confused, 0)
        confused /= confused.sum(axis=1, keepdims=True)
        labels[rows] = [rng.choice(count, p=confused[label]) for label in own[rows]]
    return labels, np.isin(np.arange(len(own)), rows)


def neighbours_alone(labels: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Score by how many of 30 neighbours have the label."""
    return -(labels[near[:, :30]] == labels[:, None]).mean(axis=1)


def confident_learning(features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Score by cleanlab: the issues it names first, by their label quality."""
    from cleanlab.classification import CleanLearning

    model = CleanLearning(LogisticRegression(C=0.01, max_iter=300), seed=0)
    found = model.find_label_issues(StandardScaler().fit_transform(features), labels)
    return found["is_label_issue"].to_numpy() - found["label_quality"].to_numpy()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run")
    parser.add_argument("--share", type=float, default=0.02)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    run = Run.load(args.run)
    assert run.labels is not None, "the run has no labels"
    features, metric = np.asarray(run.features), run.metric
    own = np.unique(run.labels, return_inverse=True)[1]
    near = nearest(features, _CONFUSED, metric)[0]
    ways: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "ours": lambda labels: doubts(features, labels, MistakesConfig(), metric).against,
        "neighbours alone": lambda labels: neighbours_alone(labels, near),
    }
    if importlib.util.find_spec("cleanlab"):
        ways["cleanlab, logistic"] = lambda labels: confident_learning(features, labels)
    print(f"{run.name}: {len(own):,} cells, {args.share:.0%} of the labels swapped")
    print("| swapped to | found by | of the first n | of the first 100 | seconds |")
    print("|---|---|---|---|---|")
    for kind in ("any other", "one of the neighbours'"):
        for name, score in ways.items():
            shares, firsts, seconds = [], [], []
            for seed in range(args.seeds):
                labels, wrong = swapped(own, near, args.share, kind, seed)
                began = time.perf_counter()
                order = np.argsort(-score(labels), kind="stable")
                seconds.append(time.perf_counter() - began)
                shares.append(wrong[order[: wrong.sum()]].mean())
                firsts.append(wrong[order[:100]].sum())
            print(
                f"| {kind} | {name} | {100 * np.mean(shares):.1f} ± {100 * np.std(shares):.1f} "
                f"% | {np.mean(firsts):.1f} | {np.mean(seconds):.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
