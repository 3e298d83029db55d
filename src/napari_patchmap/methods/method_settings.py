"""Settings of a training: how the map is made, of what, in which time and where."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

from napari_patchmap.methods.catalog import METHODS
from napari_patchmap.settings import Config, setting

_EACH = "; ".join(f"{method.name}: {method.help}" for method in METHODS.values())
_STAGES = ", ".join(f"{m.name} has {len(m.stages)}" for m in METHODS.values() if m.trains)

_own = partial(setting, group="Your own features")


@dataclass(frozen=True)
class MethodSettings(Config):
    """How the map is made, of what, in which time and where."""

    method: str = setting(
        "tsimcne",
        f"How the map is made. {_EACH}.",
        group="Method",
        choices=tuple(METHODS),
        titles={method.name: method.title for method in METHODS.values()},
    )
    preset: Literal["quick", "standard", "paper"] = setting(
        "quick",
        "quick: a recipe for minutes, on a laptop or a GPU; standard: the published one with a "
        "shorter schedule; paper: the published one (hours on a GPU).",
        group="Method",
    )
    features: str | None = _own(
        None,
        "Of the method features: a file with a row of numbers for each patch (.npy, .csv, "
        ".parquet, AnnData), joined by file names, ids or a column index, as tables of labels "
        "are; by order only where nothing else tells.",
        label="File of features",
        file=True,
    )
    feature_columns: str | None = _own(
        None,
        "Which of it are features: of a table, names of columns separated by commas, in which "
        "* stands for anything (emb_*); of AnnData, X or the key of an array in obsm (X_pca). "
        "Empty takes all numbers of a table that are no id, class or place, and X.",
        label="Columns or array",
    )
    feature_scaling: Literal["auto", "standard", "none"] = _own(
        "auto",
        "standard: each feature is brought to the mean 0 and the deviation 1; none: as they "
        "are. auto takes standard for columns of tables and X of AnnData, which are measured "
        "in units of their own, and none for .npy and arrays in obsm, which networks made.",
        label="Scaling",
        rare=True,
    )
    feature_gaps: Literal["refuse", "median", "columns"] = _own(
        "refuse",
        "Features that are no finite numbers: refuse them, take the median of the feature in "
        "place of them, or leave these features (columns) out.",
        label="Gaps",
        rare=True,
    )
    even_by: str | None = _own(
        None,
        "Technical column of the patches' table (plate, slide, day) between whose values the "
        "features are evened out before they are laid out, as patchmap even does it.",
        label="Even out by",
        rare=True,
    )
    minutes: float | None = setting(
        None,
        "Plan the training to end within this time, evaluation included; empty follows the "
        "preset's epochs.",
        unit="min",
        low=0.1,
        high=100_000.0,
        step=1.0,
        group="Time",
    )
    epochs: tuple[float, ...] | None = setting(
        None,
        f"Passes over the patches in each stage ({_STAGES}), in place of minutes; empty "
        "follows the preset.",
        low=0.0,
        high=1e6,
        group="Time",
        rare=True,
        instead_of="minutes",
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = setting(
        "auto", "Where to compute; auto takes a GPU if there is one.", group="Computer"
    )
    seed: int = setting(
        0,
        "Same seed, same machine: same map; on a GPU nearly the same.",
        low=0,
        high=2**31 - 1,
        group="Computer",
    )
