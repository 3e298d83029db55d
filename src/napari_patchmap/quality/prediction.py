"""How well is a column predicted from the map and the features? Held out, repeatedly."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    mean_absolute_error,
    r2_score,
    recall_score,
)
from threadpoolctl import threadpool_limits

from napari_patchmap.errors import QualityError
from napari_patchmap.few_names import some_of
from napari_patchmap.patches.quantity import is_quantity
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.quality.figure import (
    DECIMAL,
    PERCENT,
    FigureInput,
    Scale,
    refuse_useless,
)
from napari_patchmap.quality.predictors import (
    Predictor,
    Target,
    in_features,
    on_map,
    predictors,
)
from napari_patchmap.quality.splits import SplitConfig, splits
from napari_patchmap.settings import Config, setting

#: Classes at most: of more it is no column of classes.
_MOST_CLASSES = 300


@dataclass(frozen=True)
class PredictionConfig(Config):
    """How it is found out how well a column is predicted."""

    column: str = setting(
        "label",
        "What is predicted: labels or any column. Quantities, such as an area, are predicted "
        "as numbers.",
        label="Predict",
        offered=True,
    )
    apart: str = setting(
        "",
        "Patches that share a value of this column (patient, slide) are never on both sides. "
        "Without it a patient who is recognised again counts as a cell that is known.",
        label="Keep apart",
        offered=True,
        titles={"": "nothing"},
    )
    k: int = setting(
        15, "How many nearest patches vote.", low=1, high=10_000, unit="neighbours", label="Ask"
    )
    share: float = setting(
        0.1,
        "Share of the patches that is held out each time.",
        low=0.001,
        high=0.999,
        step=0.05,
        label="Share held out",
    )
    repeats: int = setting(
        5, "How often patches are held out; each time others.", low=1, high=1000, unit="times"
    )

    def __post_init__(self) -> None:
        if self.k < 1:
            raise QualityError(f"{self.k} neighbours cannot be asked; choose one or more.")
        SplitConfig(self.share, self.repeats)  # says what makes no sense
        super().__post_init__()

    @property
    def split(self) -> SplitConfig:
        """How patches are held out."""
        return SplitConfig(self.share, self.repeats)


@dataclass(frozen=True)
class Score:
    """One number that says how well held-out patches were predicted.

    Parameters
    ----------
    key, name, short : str
        In reports, for people, and where there is hardly room.
    compute : callable
        Takes what is true and what was predicted.
    scale : Scale
    """

    key: str
    name: str
    short: str
    compute: Callable[[np.ndarray, np.ndarray], float]
    scale: Scale = DECIMAL


def _balanced(true: np.ndarray, told: np.ndarray) -> float:
    return float(recall_score(true, told, labels=np.unique(true), average="macro"))


#: Of classes and of numbers, the first for sentences.
CLASS_SCORES = (
    Score("accuracy", "accuracy", "acc.", accuracy_score, PERCENT),
    Score("balanced", "balanced accuracy", "bal.", _balanced, PERCENT),
    Score(
        "f1", "macro F1", "F1", lambda y, p: f1_score(y, p, average="macro", zero_division=0.0)
    ),
)
NUMBER_SCORES = (
    Score("mae", "mean absolute error", "error", mean_absolute_error, Scale(1.0, "", 3, 3, 4)),
    Score("r2", "R²", "R²", r2_score),
)


def scores_of(found: dict[str, Any]) -> tuple[Score, ...]:
    """Return what a prediction is scored by."""
    return NUMBER_SCORES if found["numbers"] else CLASS_SCORES


def predict(
    given: FigureInput,
    values: pd.Series,
    apart: pd.Series | None = None,
    config: PredictionConfig | None = None,
    watch: Watch = UNWATCHED,
) -> dict[str, Any]:
    """Say how well a column is predicted from the map and from the features.

    A part of the patches is held out, and predicted from the rest: by the nearest neighbours on
    the map, by those among the features, and by linear models of the standardised features
    (classes: logistic regression without penalty, as Nwabufo et al. 2024 evaluate SimCLR,
    and with an L2 penalty chosen by cross-validation within the rest; numbers: ridge
    regression, its penalty chosen by leaving one out). This again and again; means and
    standard deviations are over the repeats. Where ``apart`` is given no group of it is on
    both sides, and the neighbours are asked a second time with groups mixed, so that one
    sees what leakage would have brought.

    Parameters
    ----------
    given : FigureInput
        Its labels are not looked at.
    values, apart : Series, length n
        What is predicted, and the groups. Quantities are predicted as numbers,
        everything else as classes. Patches without a value are left out.
    config : PredictionConfig, optional
    watch : Watch
        Told after each repeat what is known so far.

    Returns
    -------
    dict
        ``column``, ``apart``, ``k``, ``share``, ``repeats`` (that were made), ``n``,
        ``test_n`` (a repeat, on average), ``numbers`` (whether they are), ``classes`` or
        ``groups`` (how many), ``scores`` and, with groups, ``mixed``: of each way to predict
        a dict of ``{"mean", "sd"}`` for each score (0 to 1; an error in the column's unit);
        ``left_out``: sentences.

    Raises
    ------
    QualityError
        If there is nothing to tell, or too little to tell it from.
    """
    config = config or PredictionConfig()
    task, left_out = _task(given, values, apart, config)
    ways = predictors(task)
    if given.features is not None:
        refuse_useless(given.features)
    else:
        left_out.append("There are no features, so only the map is asked.")
    held = list(splits(len(task.wanted), config.split, task.classes, task.groups))
    fewest = min(len(train) for train, _ in held)
    if config.k >= fewest:
        raise QualityError(
            f"{fewest:,} patches to learn from are too few to ask {config.k} neighbours; ask "
            "fewer."
        )
    mixed: list[tuple[np.ndarray, np.ndarray]] = []
    near = {name: tell for name, tell in ways.items() if tell in (on_map, in_features)}
    if task.groups is not None:
        mixed = list(splits(len(task.wanted), config.split, task.classes))
    scores = NUMBER_SCORES if task.numbers else CLASS_SCORES
    told: dict[str, list[list[float]]] = {name: [] for name in ways}
    leaked: dict[str, list[list[float]]] = {name: [] for name in near}
    result: dict[str, Any] = {}
    with (
        ThreadPoolExecutor(torch.get_num_threads()) as pool,  # before torch is limited to one
        threadpool_limits(1),
        warnings.catch_warnings(),
    ):
        # Without a penalty classes that can be predicted exactly have no end to go to.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for repeat, parts in enumerate(held):
            jobs = [(told[name], tell, parts) for name, tell in ways.items()]
            if mixed:
                jobs += [(leaked[name], tell, mixed[repeat]) for name, tell in near.items()]

            def score(job: tuple[list[list[float]], Predictor, Any]) -> list[float]:
                _, tell, (train, test) = job
                seen, true = tell(task, train, test), task.wanted[test]
                return [float(one.compute(true[: len(seen)], seen)) for one in scores]

            for (kept, _, _), numbers in zip(jobs, pool.map(score, jobs), strict=True):
                kept.append(numbers)
            result = {
                "column": config.column,
                "apart": config.apart if task.groups is not None else "",
                "k": config.k,
                "share": config.split.share,
                "repeats": repeat + 1,
                "n": len(task.wanted),
                "test_n": round(float(np.mean([len(t) for _, t in held[: repeat + 1]]))),
                "numbers": task.numbers,
                "classes": 0 if task.numbers else len(np.unique(task.wanted)),
                "groups": 0 if task.groups is None else len(np.unique(task.groups)),
                "scores": _summary(told, scores),
                "mixed": _summary(leaked, scores) if mixed else {},
                "left_out": left_out,
            }
            if watch.ends(repeat + 1, len(held), result):
                break
    return result


def _task(
    given: FigureInput,
    values: pd.Series,
    apart: pd.Series | None,
    config: PredictionConfig,
) -> tuple[Target, list[str]]:
    """Leave out what cannot be predicted, and say so."""
    if apart is not None and config.apart == config.column:
        raise QualityError(f"{config.column} cannot be predicted and kept apart at once.")
    numbers = config.column != "label" and is_quantity(values)
    if numbers:
        wanted = values.to_numpy(float, na_value=np.nan)
        known = np.isfinite(wanted)
    else:
        wanted = np.where(values.isna(), "", values.astype(str))
        wanted = wanted.astype(str)
        known = wanted != ""
    left_out = []
    if missing := int((~known).sum()):
        left_out.append(f"{missing:,} patches without a value in {config.column} are left out.")
    if apart is not None:
        grouped = ~apart.isna().to_numpy(bool) & (apart.astype(str) != "").to_numpy(bool)
        if missing := int((known & ~grouped).sum()):
            left_out.append(
                f"{missing:,} patches without a value in {config.apart} are left out."
            )
        known &= grouped
    if not numbers:
        names, counts = np.unique(wanted[known], return_counts=True)
        single = names[counts < 2]
        if len(single):
            left_out.append(f"Classes of a single patch are left out: {some_of(single)}.")
            known &= ~np.isin(wanted, single)
        if len(names) - len(single) > _MOST_CLASSES:
            raise QualityError(
                f"{config.column} has {len(names):,} values, too many for classes; choose a "
                f"column of {_MOST_CLASSES} at most."
            )
    rows = np.flatnonzero(known)
    if len(rows) < 4 or len(np.unique(wanted[rows])) < 2:
        raise QualityError(
            f"{config.column} does not have two values of two patches each, so there is "
            "nothing to predict."
        )
    groups = None if apart is None else apart.astype(str).to_numpy(str)[rows]
    return Target(given.rows(rows), wanted[rows], groups, numbers, config.k), left_out


def _summary(
    told: dict[str, list[list[float]]], scores: tuple[Score, ...]
) -> dict[str, dict[str, dict[str, float]]]:
    means = {name: np.mean(rows, axis=0) for name, rows in told.items()}
    spread = {
        name: np.std(rows, axis=0, ddof=1) if len(rows) > 1 else np.zeros(len(scores))
        for name, rows in told.items()
    }
    return {
        name: {
            score.key: {"mean": float(means[name][i]), "sd": float(spread[name][i])}
            for i, score in enumerate(scores)
        }
        for name in told
    }
