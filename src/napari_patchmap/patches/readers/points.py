"""Rows of features without pictures: each is a patch that nothing is seen of, a point."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap.patches.axes import GREY
from napari_patchmap.patches.box_table import BOX_COLUMNS, box_table
from napari_patchmap.patches.images import NoImages
from napari_patchmap.patches.labels.meanings import CLASSES, named
from napari_patchmap.patches.labels.values import as_text
from napari_patchmap.patches.own_features.feature_files import ENDINGS
from napari_patchmap.patches.own_features.feature_points import holds_rows, read_points
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.source import Source
from napari_patchmap.patches.watch import Watch


def recognises(path: Path, chosen: bool) -> bool:
    """Whether a file holds rows of features; a text file is one only where that is said."""
    ending = path.suffix.lower()
    return ending in ENDINGS and ending != ".txt" and path.is_file() and holds_rows(path)


def read(request: OpenRequest, watch: Watch) -> Source:
    """Open a file of features as points; its features are read when a map is made of them.

    Raises
    ------
    PatchError
        If it holds no such rows.
    """
    path = Path(request.path)
    points = read_points(path, watch)
    images = NoImages(len(points.columns))
    columns = [str(name) for name in points.columns]
    label = next((c for c in columns if c.casefold() == "label"), None)
    label = label or next(iter(named(columns, CLASSES)), None)
    new = {}
    for name in columns:
        values = points.columns[name]
        if name == label:
            new["label"] = pd.Series(as_text(values.to_numpy(object)), dtype=object)
        else:
            taken = name in (*BOX_COLUMNS, "label")
            new[f"{name} (features file)" if taken else name] = values
    table = box_table(path.name, np.arange(len(images)), images.sizes)
    return Source(
        images,
        pd.concat([table, pd.DataFrame(new, index=table.index)], axis=1),
        GREY,
        names=[str(name) for name in points.columns[points.name]] if points.name else None,
        notes=points.notes,
        label_from=label or "",
    )
