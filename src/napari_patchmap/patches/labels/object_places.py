"""Whether rows and objects lie at the same places, in whatever unit they are written."""

from __future__ import annotations

import numpy as np
import pandas as pd

from napari_patchmap.patches.labels.meanings import places, plain

#: Fewer rows than this agree or differ by chance.
_FEW = 5


def agreement(rows: pd.DataFrame, table: pd.DataFrame, *, ordered: bool) -> float | None:
    """Correlate the places of rows with those of objects, row by row: 0 to 1.

    Calibrated and turned axes agree, too. Where rows are only in order (``ordered``), areas
    are compared if there are no places. None if nothing can be compared.
    """
    if len(rows) < _FEW or "centroid_x" not in table:
        return None
    found = places(rows.columns)
    if found is not None:
        x, y = (_read(rows[column]) for column in found)
        ours = table["centroid_x"].to_numpy(float), table["centroid_y"].to_numpy(float)
        straight = _both(_alike(x, ours[0]), _alike(y, ours[1]))
        if straight is not None:
            return max(straight, _both(_alike(x, ours[1]), _alike(y, ours[0])) or 0.0)
    if not ordered:
        return None
    area = next((c for c in rows.columns if plain(c) in ("area", "areashapearea")), None)
    return None if area is None else _alike(_read(rows[area]), table["area"].to_numpy(float))


def _read(cells: pd.Series) -> np.ndarray:
    return pd.to_numeric(cells, errors="coerce").to_numpy(float)


def _alike(one: np.ndarray, other: np.ndarray) -> float | None:
    known = np.isfinite(one) & np.isfinite(other)
    one, other = one[known], other[known]
    if len(one) < _FEW or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(abs(np.corrcoef(one, other)[0, 1]))


def _both(one: float | None, other: float | None) -> float | None:
    values = [value for value in (one, other) if value is not None]
    return min(values) if values else None
