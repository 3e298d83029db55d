"""How the files of a run's folder are read, and what stands in them besides."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.errors import RunError
from napari_patchmap.kind import known_origin
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.quality.label_changes import of_label
from napari_patchmap.runs.evening import EVENING, Evening
from napari_patchmap.runs.found_files import read_found
from napari_patchmap.runs.image_kind import ImageKind
from napari_patchmap.runs.looks import LOOKS, Looks
from napari_patchmap.runs.network_file import read_network
from napari_patchmap.runs.patch_figures import QUALITY, read_columns
from napari_patchmap.runs.run_config import RunConfig
from napari_patchmap.runs.run_folder import reading
from napari_patchmap.runs.saved_table import read_saved_table
from napari_patchmap.runs.stored_features import StoredFeatures

FORMAT = 1

_NO_FEATURES = (
    "This run holds no features.npy: the map is there, but nothing can be suggested or found "
    "by looks, nor placed on it; train it again for that."
)


def attempt(path: Path, write: Callable[[], object], missed: list[str]) -> None:
    """Write what is worth less than the map: if it fails, that is added to ``missed``."""
    try:
        write()
    except Exception as error:  # noqa: BLE001 - whatever it is, the map is worth more
        path.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:200]
        missed.append(
            f"{path.name} could not be written ({reason or type(error).__name__}); the map "
            "and all else is saved."
        )


def read_files(folder: str | Path) -> dict[str, Any]:
    """Read a run's folder; return the fields of the :class:`~napari_patchmap.runs.Run`.

    Raises
    ------
    RunError
        If the folder is not a run, or a file of it is missing or damaged.
    """
    with reading(folder) as (folder, saved):
        if saved["format"] != FORMAT:
            raise RunError(
                f"{folder} was written by another version of patchmap (format "
                f"{saved['format']}); update napari-patchmap to open it."
            )
        network = Network(NetworkSpec.from_dict(saved["network"]))
        read_network(network, folder / "model.safetensors")
        count = int(saved["patches"]["count"])
        read = read_saved_table(folder, saved["patches"], str(saved["name"]))
        rows, known = read.rows, read.known
        notes, some = list(rows.notes), rows.index if len(rows.index) < count else None
        features: Any = np.empty((len(rows.index), 0), np.float32)
        if (folder / "features.npy").exists():
            features = StoredFeatures(folder / "features.npy", count, some)
        else:
            notes.append(_NO_FEATURES)
        evened = saved.get("evened")
        looks = None
        try:
            looks = Looks.load(folder / LOOKS, count)
        except RunError as error:  # the map does without
            notes.append(str(error))
        if some is not None and looks is not None:
            looks = looks.part(some)
        if some is not None and known is not None:
            known = known.iloc[some].reset_index(drop=True)
        metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
        columns = read_columns(folder / QUALITY, count, some)
        metrics, columns = of_label(metrics, columns, read.label_from, read.own_label)
        return {
            "config": RunConfig.from_dict(saved["config"]),
            "network": network.eval(),
            "embedding": rows.embedding,
            "features": features,
            "table": rows.table,
            "images": ImageKind.from_dict(saved["images"]),
            "symmetries": [(int(turns), bool(flip)) for turns, flip in saved["symmetries"]],
            "metrics": metrics,
            "history": pd.read_csv(folder / "history.csv"),
            "name": saved["name"],
            "origin": known_origin(saved["patches"]["origin"]),
            "layout": saved.get("layout", "network"),
            "complete": saved["complete"],
            "info": saved["training"],
            "folder": folder,
            "known": known,
            "notes": tuple(notes),
            "rows": rows.index,
            "columns": columns,
            "looks": looks,
            "found": read_found(folder, count, some),
            "label_from": read.label_from,
            "evened": Evening.load(folder / EVENING, evened) if evened else None,
        }


def versions() -> dict[str, str]:
    """Versions of what the numbers of a run depend on."""
    found = {"python": platform.python_version(), "system": sys.platform}
    for name in ("napari-patchmap", "torch", "torchvision", "timm", "numpy", "scikit-learn"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found
