"""Features, table and map as AnnData, which scanpy and its relatives open."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.errors import RunError
from napari_patchmap.explore.colouring import MOST_CATEGORIES
from napari_patchmap.optional import optional
from napari_patchmap.patches.names import printable
from napari_patchmap.runs.export.export_format import Exportable, ExportFormat
from napari_patchmap.runs.export.safe_columns import group_colours, text_of, unique_names
from napari_patchmap.writing import whole_file


def _write(data: Exportable, path: Path) -> tuple[list[Path], list[str]]:
    anndata = optional("anndata")
    make = anndata.AnnData  # says at once if the package is missing
    if path.exists():
        _check_not_open(path)
    notes, features = [], data.features
    if features is None:
        notes.append(
            f"The run {data.name} holds no features, so X of {path.name} is empty; the table "
            "and the map are in it."
        )
        features = np.empty((len(data.rows), 0), np.float32)
    obs, colours = _obs(data)
    adata = make(
        X=np.ascontiguousarray(features, np.float32),
        obs=obs,
        var=pd.DataFrame(index=[f"feature {i}" for i in range(features.shape[1])]),
        obsm=_places(data),
        uns={"patchmap": _plain(data.settings), **colours},
    )
    data.watch.step(0, 0)
    with whole_file(path) as file:
        adata.write_h5ad(file.name)
    return [path], notes


def _obs(data: Exportable) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Return the table in types that the format has, and the colours of its groups."""
    columns: dict[str, Any] = {}
    colours: dict[str, np.ndarray] = {}
    names = unique_names(data.table.columns, without="/")
    for name, (given, values) in zip(names, data.table.items(), strict=True):
        name = "index in file" if name == "_index" else name
        known = data.colours.get(str(given))
        if known is None and (
            pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)
        ):
            columns[name] = values.to_numpy(float, na_value=np.nan) if (
                pd.api.types.is_extension_array_dtype(values.dtype) or values.isna().any()
            ) else values.to_numpy()  # fmt: skip
            continue
        text = text_of(values)
        there = set(text.tolist()) - {""}
        known = known or {}
        # In the order in which the person, or the legend, has them.
        groups = [one for one in known if one in there]
        groups += sorted(there - set(groups))
        columns[name] = pd.Categorical(text, categories=groups)
        if groups and len(groups) <= MOST_CATEGORIES:
            given_colours = known or group_colours(data.table, str(given))
            colours[f"{name}_colors"] = np.array(
                [given_colours.get(one, "#8a8a8a") for one in groups], object
            )
    index = data.table["index"].astype(str).to_numpy(object)
    return pd.DataFrame(columns, index=pd.Index(index, dtype=object)), colours


def _places(data: Exportable) -> dict[str, np.ndarray]:
    """Return places as plots have them: x, then y upwards for a map, downwards for images."""
    flipped = data.embedding[:, ::-1].astype(np.float32)
    flipped[:, 1] *= -1
    places = {f"X_{data.method}": np.ascontiguousarray(flipped)}
    if data.has_places:
        table = data.table
        centres = [table[a].to_numpy(float) + table[b].to_numpy(float) / 2 for a, b in (
            ("x", "width"), ("y", "height"))]  # fmt: skip
        places["spatial"] = np.stack(centres, axis=1)
    return places


def _plain(value: Any) -> Any:
    """Return settings as the format holds them: what is left to the program is left out."""
    if isinstance(value, Mapping):
        kept = {str(k).replace("/", "_"): _plain(v) for k, v in value.items() if v is not None}
        return {key: one for key, one in kept.items() if one is not None}
    if isinstance(value, list | tuple):
        if not value:
            return None
        if {type(one) for one in value} <= {int, float}:
            return np.array(value)
        return np.array([printable(str(one)) for one in value], object)
    return value if isinstance(value, bool | int | float) else printable(str(value))


def _check_not_open(path: Path) -> None:
    """Refuse to replace a file that another program is writing or reading."""
    h5py = optional("h5py")
    try:
        with h5py.File(path, "r+"):
            pass
    except BlockingIOError:
        raise RunError(
            f"{path} is open in another program; close it there, or choose another name."
        ) from None
    except OSError as error:
        if "lock" in str(error):
            raise RunError(
                f"{path} is open in another program; close it there, or choose another name."
            ) from None
        # What is no HDF5 file is replaced like any other.


FORMAT = ExportFormat(".h5ad", "AnnData, for scanpy (.h5ad)", _write)
