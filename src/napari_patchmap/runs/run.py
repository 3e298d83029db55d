"""A training with everything it produced, in memory and as a folder of plain files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save

from napari_patchmap.augment.views import Symmetry
from napari_patchmap.errors import RunError
from napari_patchmap.explore.feature_rows import check_features
from napari_patchmap.find.search import Found
from napari_patchmap.layout.neighbour_search import Metric
from napari_patchmap.lock import alone_in
from napari_patchmap.networks import Network
from napari_patchmap.networks.device import choose_device
from napari_patchmap.networks.pixels import PatchPixels
from napari_patchmap.patches import PatchSet, Skipped
from napari_patchmap.patches.box_table import labels_of
from napari_patchmap.quality import Evaluation, add_training, measure
from napari_patchmap.quality.asked_checks import CHECKS
from napari_patchmap.quality.columns import named_columns
from napari_patchmap.quality.figure import EXACT, FigureInput, MeasureWatch
from napari_patchmap.runs.evening import EVENING, Evening
from napari_patchmap.runs.found_files import found_columns, write_found
from napari_patchmap.runs.identity import PATCHES, places_of, save_identity
from napari_patchmap.runs.image_kind import ImageKind, unlikeness
from napari_patchmap.runs.kept_answers import keep_in
from napari_patchmap.runs.looks import LOOKS, Looks
from napari_patchmap.runs.patch_figures import QUALITY, write_columns
from napari_patchmap.runs.picture import save_picture
from napari_patchmap.runs.placing import Placed, check_prepared, look_at
from napari_patchmap.runs.run_config import RunConfig
from napari_patchmap.runs.run_files import FORMAT, attempt, read_files, versions
from napari_patchmap.runs.run_folder import (
    CONFIG,
    FILES,
    begin,
    check_free,
    discard,
    put_in_place,
)
from napari_patchmap.runs.stored_features import ReadWhenAsked
from napari_patchmap.runs.table import embedding_table, text_columns, write_embedding
from napari_patchmap.runs.unreadable import UNREADABLE, save_skipped
from napari_patchmap.writing import whole_file, write_json, write_whole


@dataclass(eq=False)
class Run:
    """A map, the network that made it, and how good it is.

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

    Examples
    --------
    >>> import numpy as np
    >>> from napari_patchmap.patches import from_array
    >>> from napari_patchmap.runs import Run, RunConfig, TrainConfig
    >>> from napari_patchmap.training import fit
    >>> cells = np.random.default_rng(0).integers(0, 256, (80, 28, 28), np.uint8)
    >>> old, new = from_array(cells[:60], name="old"), from_array(cells[60:], name="new")
    >>> folder = fit(old, RunConfig(TrainConfig(method="pixels"))).save("map of noise")
    >>> run = Run.load(folder)
    >>> run.place(new).embedding.shape
    (20, 2)
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

    def measured(
        self,
        labels: np.ndarray | None,
        *,
        most: int = EXACT,
        watch: MeasureWatch | None = None,
        tell: Callable[[dict[str, Any]], None] | None = None,
    ) -> Evaluation:
        """Measure the map, against some labels; what is known of its training stays.

        See :func:`napari_patchmap.quality.evaluate`. Of more than ``most`` patches as many
        are looked at where that takes long. ``tell`` hears what is known after each figure.
        """
        given = FigureInput(
            self.embedding,
            labels,
            self.features if self.dimensions else None,
            metric=metric_of(self.config, self.layout),
            most=most,
            watch=watch,
        )
        found = measure(given, tell=tell)
        if "training" in self.metrics:
            add_training(found.report, self.metrics["training"])
        kept = {name: self.metrics[name] for name in LONG if name in self.metrics}
        found.report.update(kept)
        asked = {key: values for key, values in self.columns.items() if key in LONG}
        return Evaluation(found.report, {**found.columns, **asked})

    def keep(self, found: Evaluation) -> str:
        """Keep what was measured in the run's folder, if it has one.

        Returns
        -------
        str
            Why it cannot be kept there, "" if it was. Of a part of its patches nothing is.
        """

        def write(folder: Path) -> list[str]:
            if found.columns is not self.columns:  # those are there already
                write_columns(folder / QUALITY, found.columns, self.numbers)
            write_json(folder / "metrics.json", found.report)
            return [QUALITY]

        return self._keep("The figures", write)

    def keep_found(self) -> str:
        """Keep what was found in the run's folder, if it has one.

        Returns
        -------
        str
            Why it cannot be kept there, "" if it was. Of a part of its patches nothing is.
        """

        def write(folder: Path) -> list[str]:
            return write_found(folder, self.found, self.numbers)

        return self._keep("What was found", write)

    def _keep(self, what: str, write: Callable[[Path], list[str]]) -> str:
        if self.folder is None:
            return ""
        return keep_in(self.folder, self.numbers, self.info.get("id", ""), write, what)

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

    # -- new images ------------------------------------------------------------

    def transform(self, patches: PatchSet) -> np.ndarray:
        """Place other patches on this map: the coordinates of :meth:`place`."""
        return self.place(patches).embedding

    def place(
        self, patches: PatchSet, watch: Callable[[int, int], None] | None = None
    ) -> Placed:
        """Place other patches on this map, and say how they differ from its own.

        They are scaled to 8 bits and brought to the training size exactly as the
        run's own patches were. The network says where they belong, or, where t-SNE
        made the map, openTSNE puts them among their neighbours. On a map that was evened out
        their features are, too: by the batches of their table, else by all patches of the map.

        Parameters
        ----------
        patches : PatchSet
        watch : callable, optional
            Told how many of how many patches were looked at; may raise to end.

        Raises
        ------
        RunError
            If the patches have other channels than the run's, or would be prepared otherwise.
        SuggestionError
            If the run has no features.
        """
        own = self.features  # once: many are read anew each time
        check_features(own)
        if len(patches.channel_names) != len(self.images.channel_names):
            raise RunError(
                f"{patches.name} has {patches.channels} channel(s), but the map {self.name} "
                f"was trained on {len(self.images.channel_names)} "
                f"({', '.join(self.images.channel_names)}); use images of the same kind."
            )
        check_prepared(self.network)
        fit = patches.fit or self.images.fit
        same = replace(patches, intensity=self.images.intensity, fit=fit)
        features, embedding = look_at(
            self.network,
            PatchPixels(same, self.network.spec.size),
            # The best there is here now, unless the person chose the CPU.
            choose_device("cpu" if self.config.train.device == "cpu" else "auto").target,
            # In the precision of the training, so that a patch lands where it was.
            precision=getattr(torch, self.info.get("half") or "float32"),
            symmetries=self.symmetries,
            watch=watch,
        )
        said = ""
        if self.evened is not None:
            features, said = self.evened.of_new(features, patches.table)
        if self.layout == "tsne":
            embedding = self.config.train.tsne().place(
                features, own, self.embedding, jobs=torch.get_num_threads()
            )
        unlike, sentence = unlikeness(features, own)
        notes = (*self.images.differences(same), *filter(None, [said, sentence]))
        return Placed(embedding, unlike, notes, features)

    # -- the folder --------------------------------------------------------------

    def save(self, folder: str | Path) -> Path:
        """Write the run as a folder of plain files.

        The folder then holds all of it or what it held before. What others put there
        stays. A checkpoint is kept if the run was stopped, and removed if it is complete.
        A picture or a list that cannot be written costs nothing else: that is noted, and
        told in ``missed``.

        Raises
        ------
        RunError
            If the folder is in use, holds another run, or cannot be written.
        """
        folder = Path(folder).expanduser().resolve()
        with alone_in(folder):
            check_free(folder, unfinished=True, training=self.info.get("id", ""))
            try:
                self.missed = self._write(begin(folder))
                put_in_place(folder)
            except OSError as error:
                raise RunError(
                    f"The run cannot be saved in {folder} ({error.strerror or error}); choose "
                    "another folder."
                ) from None
            finally:
                discard(folder)
        self.folder = folder
        return folder

    def _write(self, folder: Path) -> list[str]:
        """Write what was learned first, then what can be made again; return what was missed."""
        weights = {k: v.contiguous() for k, v in self.network.state_dict().items()}
        write_whole(folder / "model.safetensors", save(weights))
        write_embedding(folder / "embedding.csv", embedding_table(self.embedding, self.table))
        save_identity(folder / PATCHES, self.who)
        with whole_file(folder / "features.npy") as file:
            np.save(file, self.features.astype(np.float32, copy=False))
        if self.evened is not None:
            self.evened.save(folder / EVENING)
        write_json(folder / "metrics.json", self.metrics)
        write_columns(folder / QUALITY, self.columns, np.arange(len(self)))
        write_found(folder, self.found, np.arange(len(self)))
        write_whole(folder / "history.csv", self.history.to_csv(index=False))
        missed: list[str] = []
        looks = self.looks
        if looks is not None:
            attempt(folder / LOOKS, lambda: looks.save(folder / LOOKS), missed)
        if self.skipped:
            path = folder / UNREADABLE
            attempt(path, lambda: save_skipped(path, self.skipped), missed)
        picture = folder / "map.png"
        attempt(
            picture,
            lambda: save_picture(picture, self.embedding, self.labels, self.metrics, self.name),
            missed,
        )
        notes = [*self.info.get("notes", []), *missed]
        config = {
            "format": FORMAT,
            "name": self.name,
            "complete": self.complete,
            "layout": self.layout,
            **({} if self.evened is None else {"evened": self.evened.to_dict()}),
            "config": self.config.to_dict(),
            "network": self.network.spec.to_dict(),
            "images": self.images.to_dict(),
            "symmetries": [list(symmetry) for symmetry in self.symmetries],
            "patches": {
                "count": len(self),
                "origin": self.origin,
                "text": text_columns(self.table),
            },
            "training": self.info | ({"notes": notes} if notes else {}),
            "versions": versions(),
            FILES: sorted([*os.listdir(folder), CONFIG]),
        }
        write_json(folder / CONFIG, config)
        return missed

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Open a saved run.

        Raises
        ------
        RunError
            If the folder is not a run, or a file of it is missing or damaged.
        """
        return cls(**read_files(folder))


def metric_of(config: RunConfig, layout: str) -> Metric:
    """Return the distance of features that a map was made to keep."""
    return config.train.tsne_metric if layout == "tsne" else "euclidean"


#: What is found out only when asked, and stays when the map is measured again.
LONG = ("evened", *(check.key for check in CHECKS))

# A field as any other, but for when it is read.
Run.features = ReadWhenAsked()  # type: ignore[assignment]
