"""Another map of the same features: t-SNE of what a run has learned, without training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import numpy as np
import torch

from napari_patchmap.explore.feature_rows import check_features
from napari_patchmap.networks.device import choose_device
from napari_patchmap.patches.watch import Watch
from napari_patchmap.quality.figure import AT_FIRST
from napari_patchmap.runs.run import Run
from napari_patchmap.training.budget.layout_time import LayoutTime
from napari_patchmap.training.budget.pace import Clock
from napari_patchmap.training.control import ends_training
from napari_patchmap.training.progress import Progress, ProgressCallback, StopCallback


def lay_out_again(
    run: Run,
    *,
    progress: ProgressCallback | None = None,
    should_stop: StopCallback | None = None,
    snapshot_seconds: float = 0.0,
    **settings: Any,
) -> Run:
    """Make a new map of a run's features by t-SNE.

    Parameters
    ----------
    run : Run
        Of any method; it stays as it is.
    progress : callable, optional
        Called with a :class:`Progress` every ten iterations.
    should_stop : callable, optional
        Asked every ten iterations; True ends with the map as it is, or without one before
        the first of them.
    snapshot_seconds : float
        Least time between two reports that hold the map as it is.
    **settings
        Of :class:`TrainConfig`: perplexity, exaggeration, last_exaggeration, tsne_start,
        tsne_metric, dimensions, seed. Others are those of the run.

    Returns
    -------
    Run
        With the same network and features; new images are placed by t-SNE.

    Raises
    ------
    ConfigError
        If a setting is out of its range.
    SuggestionError
        If the run has no features.
    TrainingStopped
        If ``should_stop`` said so before there was a map.
    """
    train = run.config.train.replace(**settings)
    tsne = train.tsne()
    clock, total, stopped, shown = Clock(), tsne.steps, False, 0.0
    features = run.features
    check_features(features)
    device = choose_device("cpu" if train.device == "cpu" else "auto").target
    with ends_training():
        asked = Watch(should_stop=should_stop)
        timed = LayoutTime(tsne, len(features), clock, device=device, watch=asked)

    def watch(done: int, embedding: np.ndarray) -> bool:
        nonlocal stopped, shown
        timed.note(done)
        seconds, share = clock(), timed.share(done)
        due = seconds - shown >= snapshot_seconds
        shown = seconds if due else shown
        if progress is not None:
            progress(
                Progress(
                    f"laying out the map: {done} of {total} iterations",
                    fraction=share,
                    seconds=seconds,
                    seconds_left=seconds * (1 / share - 1),
                    embedding=embedding if due else None,
                )
            )
        stopped = should_stop is not None and should_stop()
        return stopped

    jobs = torch.get_num_threads()
    embedding = tsne.lay_out(features, jobs=jobs, device=device, watch=watch)
    timed.keep()
    laid_out = replace(
        run,
        config=replace(run.config, train=train),
        looks=None,
        embedding=embedding,
        layout="tsne",
        complete=not stopped,
        info={
            **run.info,
            "id": uuid4().hex,  # it is another map
            "laid_out_again": round(clock(), 2),
        },
        # What was said of the other map does not hold for this one.
        metrics={k: v for k, v in run.metrics.items() if k in ("training", "label_curve")},
        folder=None,
    )
    found = laid_out.measured(run.labels, most=AT_FIRST)
    return replace(laid_out, metrics=found.report, columns=found.columns, found={})
