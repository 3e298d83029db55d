"""The files of a run's folder: what a training produced, as anybody can read it."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from safetensors.torch import load_file, save

from napari_patchmap.errors import RunError
from napari_patchmap.kind import known_origin
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.runs.identity import PATCHES, read_identity, save_identity
from napari_patchmap.runs.image_kind import ImageKind
from napari_patchmap.runs.picture import save_picture
from napari_patchmap.runs.run_config import RunConfig
from napari_patchmap.runs.run_folder import CONFIG, FILES, reading
from napari_patchmap.runs.stored_features import StoredFeatures
from napari_patchmap.runs.table import (
    embedding_table,
    read_map_rows,
    text_columns,
    write_embedding,
)
from napari_patchmap.runs.unreadable import UNREADABLE, save_skipped
from napari_patchmap.writing import whole_file, write_json, write_whole

if TYPE_CHECKING:
    from napari_patchmap.runs.run import Run

_FORMAT = 1

_NO_FEATURES = (
    "This run holds no features.npy: the map is there, but nothing can be suggested or found "
    "by looks, nor placed on it; train it again for that."
)


def write_files(run: Run, folder: Path) -> list[str]:
    """Write what was learned first, then what can be made again from it.

    Returns
    -------
    list of str
        What could not be written of what is worth less than the map, in sentences.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    weights = {k: v.contiguous() for k, v in run.network.state_dict().items()}
    write_whole(folder / "model.safetensors", save(weights))
    write_embedding(folder / "embedding.csv", embedding_table(run.embedding, run.table))
    save_identity(folder / PATCHES, run.who)
    with whole_file(folder / "features.npy") as file:
        np.save(file, run.features.astype(np.float32, copy=False))
    write_json(folder / "metrics.json", run.metrics)
    write_whole(folder / "history.csv", run.history.to_csv(index=False))
    missed: list[str] = []
    if run.skipped:
        path = folder / UNREADABLE
        _try(path, lambda: save_skipped(path, run.skipped), missed)
    picture = folder / "map.png"
    _try(
        picture,
        lambda: save_picture(picture, run.embedding, run.labels, run.metrics, run.name),
        missed,
    )
    notes = [*run.info.get("notes", []), *missed]
    config = {
        "format": _FORMAT,
        "name": run.name,
        "complete": run.complete,
        "layout": run.layout,
        "config": run.config.to_dict(),
        "network": run.network.spec.to_dict(),
        "images": run.images.to_dict(),
        "symmetries": [list(symmetry) for symmetry in run.symmetries],
        "patches": {
            "count": len(run),
            "origin": run.origin,
            "text": text_columns(run.table),
        },
        "training": run.info | ({"notes": notes} if notes else {}),
        "versions": _versions(),
        FILES: sorted([*os.listdir(folder), CONFIG]),
    }
    write_json(folder / CONFIG, config)
    return missed


def _try(path: Path, write: Callable[[], object], missed: list[str]) -> None:
    """Write what is worth less than the map: if it fails, that is noted."""
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
        if saved["format"] != _FORMAT:
            raise RunError(
                f"{folder} was written by another version of patchmap (format "
                f"{saved['format']}); update napari-patchmap to open it."
            )
        network = Network(NetworkSpec.from_dict(saved["network"]))
        network.load_state_dict(load_file(folder / "model.safetensors"))
        count = int(saved["patches"]["count"])
        known = read_identity(folder / PATCHES, count)
        rows = read_map_rows(
            folder / "embedding.csv", count, known, saved["patches"].get("text")
        )
        notes, some = list(rows.notes), rows.index if len(rows.index) < count else None
        features: Any = np.empty((len(rows.index), 0), np.float32)
        if (folder / "features.npy").exists():
            features = StoredFeatures(folder / "features.npy", count, some)
        else:
            notes.append(_NO_FEATURES)
        if some is not None and known is not None:
            known = known.iloc[some].reset_index(drop=True)
        return {
            "config": RunConfig.from_dict(saved["config"]),
            "network": network.eval(),
            "embedding": rows.embedding,
            "features": features,
            "table": rows.table,
            "images": ImageKind.from_dict(saved["images"]),
            "symmetries": [(int(turns), bool(flip)) for turns, flip in saved["symmetries"]],
            "metrics": json.loads((folder / "metrics.json").read_text("utf-8")),
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
        }


def _versions() -> dict[str, str]:
    """Versions of what the numbers of a run depend on."""
    found = {"python": platform.python_version(), "system": sys.platform}
    for name in ("napari-patchmap", "torch", "torchvision", "timm", "numpy", "scikit-learn"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found
