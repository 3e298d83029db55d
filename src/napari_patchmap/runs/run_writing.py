"""How the files of a run's folder are written."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from napari_patchmap.runs.evening import EVENING
from napari_patchmap.runs.found_files import write_found
from napari_patchmap.runs.identity import PATCHES, save_identity
from napari_patchmap.runs.looks import LOOKS
from napari_patchmap.runs.network_file import write_network
from napari_patchmap.runs.patch_figures import QUALITY, write_columns
from napari_patchmap.runs.picture import save_picture
from napari_patchmap.runs.run_files import FORMAT, attempt, versions
from napari_patchmap.runs.run_folder import CONFIG, FILES
from napari_patchmap.runs.run_parts import RunParts
from napari_patchmap.runs.table import embedding_table, text_columns, write_embedding
from napari_patchmap.runs.unreadable import UNREADABLE, save_skipped
from napari_patchmap.writing import whole_file, write_json, write_whole


def write_run(run: RunParts, folder: Path) -> list[str]:
    """Write what was learned first, then what can be made again; return what was missed."""
    write_network(run.network, folder / "model.safetensors")
    write_embedding(folder / "embedding.csv", embedding_table(run.embedding, run.table))
    save_identity(folder / PATCHES, run.who)
    with whole_file(folder / "features.npy") as file:
        np.save(file, run.features.astype(np.float32, copy=False))
    if run.evened is not None:
        run.evened.save(folder / EVENING)
    write_json(folder / "metrics.json", run.metrics)
    write_columns(folder / QUALITY, run.columns, np.arange(len(run)))
    write_found(folder, run.found, np.arange(len(run)))
    write_whole(folder / "history.csv", run.history.to_csv(index=False))
    missed: list[str] = []
    looks = run.looks
    if looks is not None:
        attempt(folder / LOOKS, lambda: looks.save(folder / LOOKS), missed)
    if run.skipped:
        path = folder / UNREADABLE
        attempt(path, lambda: save_skipped(path, run.skipped), missed)
    picture = folder / "map.png"
    attempt(
        picture,
        lambda: save_picture(picture, run.embedding, run.labels, run.metrics, run.name),
        missed,
    )
    notes = [*run.info.get("notes", []), *missed]
    config = {
        "format": FORMAT,
        "name": run.name,
        "complete": run.complete,
        "layout": run.layout,
        **({} if run.evened is None else {"evened": run.evened.to_dict()}),
        "config": run.config.to_dict(),
        "network": run.network.spec.to_dict(),
        "images": run.images.to_dict(),
        "symmetries": [list(symmetry) for symmetry in run.symmetries],
        "patches": {
            "count": len(run),
            "origin": run.origin,
            **({"label_from": run.label_from} if run.label_from else {}),
            "text": text_columns(run.table),
        },
        "training": run.info | ({"notes": notes} if notes else {}),
        "versions": versions(),
        FILES: sorted([*os.listdir(folder), CONFIG]),
    }
    write_json(folder / CONFIG, config)
    return missed
