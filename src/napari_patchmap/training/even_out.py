"""A new map of a run's features, after what differs between batches was evened out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_patchmap.errors import BatchError
from napari_patchmap.explore.feature_rows import check_features
from napari_patchmap.patches import LoadCancelled
from napari_patchmap.patches.watch import Watch
from napari_patchmap.quality.before_after import before_and_after
from napari_patchmap.runs.evening import Evening, EveningConfig
from napari_patchmap.runs.run import Run
from napari_patchmap.training.progress import ProgressCallback, StopCallback
from napari_patchmap.training.relayout import lay_out_again


def even_out(
    run: Run,
    batches: np.ndarray,
    column: str,
    config: EveningConfig | None = None,
    *,
    labels: np.ndarray | None = None,
    progress: ProgressCallback | None = None,
    should_stop: StopCallback | None = None,
) -> Run:
    """Even out the features of a run between batches, and lay them out by its t-SNE settings.

    Parameters
    ----------
    run : Run
        It stays as it is.
    batches : ndarray of str, shape (n,)
        "" where the batch is not known.
    column : str
        What the batches are.
    config : EveningConfig, optional
    labels : ndarray of str, shape (n,), optional
        By which both maps are judged; those of the run if not given.
    progress : callable, optional
        Called with a :class:`~napari_patchmap.training.Progress` while the map is laid out.
    should_stop : callable, optional
        Asked now and then; True ends it.

    Returns
    -------
    Run
        Of the features evened out, which is what it saves as features, with the metrics
        ``evened`` (see :func:`~napari_patchmap.quality.before_after.before_and_after`) and
        ``batch``. New images are evened out before they are placed on it.

    Raises
    ------
    BatchError
        If it was evened out before, or cannot be; see :meth:`Evening.fit`.
    QualityError
        If the batches are none, or far too many.
    SuggestionError
        If the run has no features, or one is not a finite number.
    LoadCancelled
        If ``should_stop`` said so; there is nothing half done.
    """
    if run.evened is not None:
        source = f" ({run.evened.of})" if run.evened.of else ""
        raise BatchError(
            f"This map was evened out by {run.evened.column} already; even out the run it was "
            f"made of{source}."
        )
    features, watch = run.features, Watch(should_stop=should_stop)
    check_features(features)
    evening = Evening.fit(features, batches, column, config, watch)
    if run.folder is not None:
        evening = evening.made_of(str(run.folder))
    training = {key: run.metrics[key] for key in ("training",) if key in run.metrics}
    evened = lay_out_again(
        replace(
            run,
            features=evening.apply(features, batches, watch),
            evened=evening,
            metrics=training,
            columns={},
            found={},
        ),
        progress=progress,
        should_stop=should_stop,
    )
    if should_stop is not None and should_stop():
        raise LoadCancelled("Evening out was stopped; nothing was changed.")
    labels = run.labels if labels is None else labels
    before, after = run.to_measure(labels), evened.to_measure(labels)
    found = before_and_after(
        before, after, batches, column, same_layout=run.layout == evened.layout
    )
    evened.metrics |= {"evened": found, "batch": found["after"]["batch"]}
    return evened
