"""What a run consists of, and what is known of it without any work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from napari_patchmap.augment.views import Symmetry
from napari_patchmap.find.search import Found
from napari_patchmap.layout.neighbour_search import Metric
from napari_patchmap.networks import Network
from napari_patchmap.networks.fixed import OwnFeatures
from napari_patchmap.patches import Skipped
from napari_patchmap.patches.box_table import labels_of
from napari_patchmap.quality.columns import named_columns
from napari_patchmap.runs.evening import Evening
from napari_patchmap.runs.found_files import found_columns
from napari_patchmap.runs.identity import places_of
from napari_patchmap.runs.image_kind import ImageKind
from napari_patchmap.runs.looks import Looks
from napari_patchmap.runs.run_config import RunConfig
from napari_patchmap.runs.stored_features import ReadWhenAsked


@dataclass(eq=False)
class RunParts:
    """What a run is made of; see :class:`~napari_patchmap.runs.Run`.

    Row ``i`` of ``embedding``, ``features`` and ``table`` is patch ``i``.

    Parameters
    ----------
    config : RunConfig
    network : Network
        In evaluation mode, on the CPU.
    embedding : ndarray of float32, shape (n, 2)
        Columns axis-0 (y, downwards) and axis-1 (x), as napari has them.
    features : ndarray of float32, shape (n, d)
        Backbone features, evened out if ``evened`` says so; ``(n, 0)`` where an old run has
        none. Those of a saved run are
        read when they are asked for, which raises a RunError if their file is not as it was.
    table : DataFrame
        The patches' table.
    images : ImageKind
    symmetries : list of (quarter turns, mirrored)
        Copies of a patch whose features are averaged.
    metrics : dict
        See :func:`napari_patchmap.quality.evaluate`.
    history : DataFrame
        Columns stage, epoch, loss, lr, views_per_second, seconds.
    name : str
    origin : dict
        How to open the images again.
    layout : {"network", "tsne"}
        Whether the map is the network's output or the t-SNE of the features.
    complete : bool
        False if the run was stopped before its end.
    info : dict
        Device, precision, steps and time of the training.
    skipped : sequence of Skipped
        Images that were left out, written to ``unreadable.csv`` and not read back.
    folder : Path, optional
        Where the run is saved.
    missed : list of str
        What could not be written when it was saved, in sentences.
    known : DataFrame, optional
        Which patch each row is; see :func:`napari_patchmap.runs.identity.identify`. Without
        it patches are found again by the table alone.
    notes : tuple of str
        What was noticed when the run was opened, in sentences.
    rows : ndarray of int, optional
        Which patch of the saved run each row is, where some of its rows have gone.
    columns : dict
        Quality figures of each patch; see :class:`napari_patchmap.quality.Evaluation`.
    evened : Evening, optional
        How the features were brought together that differed from batch to batch.
    looks : Looks, optional
        Looks at the map while it learned.
    found : dict of str to Found
        What was looked for in its patches, by the key of the search.
    label_from : str
        What the label is called where it comes from, "" where nobody knows.
    """

    config: RunConfig
    network: Network
    embedding: np.ndarray
    features: np.ndarray
    table: pd.DataFrame
    images: ImageKind
    symmetries: Sequence[Symmetry]
    metrics: dict[str, Any]
    history: pd.DataFrame
    name: str
    origin: dict[str, Any]
    layout: str = "network"
    complete: bool = True
    info: dict[str, Any] = field(default_factory=dict)
    skipped: Sequence[Skipped] = ()
    folder: Path | None = None
    missed: list[str] = field(default_factory=list)
    known: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()
    rows: np.ndarray | None = None
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    evened: Evening | None = None
    looks: Looks | None = None
    found: dict[str, Found] = field(default_factory=dict)
    label_from: str = ""

    def __len__(self) -> int:
        return len(self.embedding)

    @property
    def dimensions(self) -> int:
        """How many features each patch has, 0 where there are none; nothing is read."""
        return int(vars(self)["features"].shape[1])

    @property
    def evened_by(self) -> str:
        """The technical column by which its features were evened out, "" if by none."""
        return "" if self.evened is None else self.evened.column

    @property
    def sees_images(self) -> bool:
        """Whether a network looks at images; not where features were people's own."""
        return not isinstance(self.network.backbone, OwnFeatures)

    @property
    def labels(self) -> np.ndarray | None:
        """Label of every patch as text ("" where missing), or None without labels."""
        return labels_of(self.table)

    @property
    def numbers(self) -> np.ndarray:
        """Which patch of the saved run each row is, ``(n,)``."""
        return np.arange(len(self)) if self.rows is None else self.rows

    @property
    def who(self) -> pd.DataFrame:
        """Which patch each row is, with its content where that was noted."""
        return places_of(self.table) if self.known is None else self.known

    @property
    def more_columns(self) -> dict[str, np.ndarray]:
        """What was measured and found of each patch, (n,), by the names of the columns."""
        return {**named_columns(self.columns), **found_columns(self.found)}

    def picked(self, rows: np.ndarray) -> Self:
        """Return the run with these of its patches, in this order."""
        return replace(
            self,
            embedding=self.embedding[rows],
            features=self.features[rows],
            table=self.table.iloc[rows].reset_index(drop=True),
            known=None if self.known is None else self.known.iloc[rows].reset_index(drop=True),
            rows=self.numbers[rows],
            columns={key: values[rows] for key, values in self.columns.items()},
            looks=None if self.looks is None else self.looks.part(rows),
            found={key: one.picked(rows) for key, one in self.found.items()},
        )


def metric_of(config: RunConfig, layout: str) -> Metric:
    """Return the distance of features that a map was made to keep."""
    return config.train.tsne().metric if layout == "tsne" else "euclidean"


# A field as any other, but for when it is read.
RunParts.features = ReadWhenAsked()  # type: ignore[assignment]
