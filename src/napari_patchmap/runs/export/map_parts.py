"""What an export takes of a run: neither network nor images are needed for it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.find.search import Found
from napari_patchmap.kind import known_origin
from napari_patchmap.runs.found_files import read_found
from napari_patchmap.runs.run import Run
from napari_patchmap.runs.run_config import RunConfig
from napari_patchmap.runs.run_folder import reading
from napari_patchmap.runs.saved_table import read_saved_table


@dataclass(frozen=True, eq=False)
class MapParts:
    """What an export takes of a run; neither network nor images are needed for it.

    Row ``i`` of ``embedding``, ``features`` and ``table`` is patch ``numbers[i]`` of the run.
    """

    name: str
    config: RunConfig
    layout: str
    embedding: np.ndarray
    features: np.ndarray | None
    table: pd.DataFrame
    numbers: np.ndarray
    origin: dict[str, Any]
    folder: Path | None = None
    notes: tuple[str, ...] = ()
    evened: dict[str, Any] | None = None
    """How the features were evened out, as ``config.json`` has it, if they were."""
    found: dict[str, Found] = field(default_factory=dict)
    """What was looked for in the patches, by the key of the search."""

    @classmethod
    def of(cls, run: Run) -> MapParts:
        """Take what is needed of a run in memory."""
        features = run.features if run.dimensions else None
        evened = None if run.evened is None else run.evened.to_dict()
        return cls(
            run.name, run.config, run.layout, run.embedding, features, run.table,
            run.numbers, run.origin, run.folder, run.notes, evened, run.found,
        )  # fmt: skip

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> MapParts:
        """Read it from a run folder, which may have lost its weights or its features.

        Raises
        ------
        RunError
            If the folder is not a run, or its map is damaged.
        """
        with reading(Path(folder)) as (folder, saved):
            count = int(saved["patches"]["count"])
            rows = read_saved_table(folder, saved["patches"], str(saved["name"])).rows
            features = None
            if (folder / "features.npy").exists():
                features = np.load(folder / "features.npy", mmap_mode="r", allow_pickle=False)
                if len(features) != count:
                    raise ValueError(f"features.npy has {len(features):,} rows, not {count:,}")
                features = features if len(rows.index) == count else features[rows.index]
            return cls(
                str(saved["name"]), RunConfig.from_dict(saved["config"]),
                str(saved.get("layout", "network")), rows.embedding, features, rows.table,
                rows.index, known_origin(saved["patches"]["origin"]), folder, rows.notes,
                saved.get("evened"),
                read_found(folder, count, rows.index if len(rows.index) < count else None),
            )  # fmt: skip
