"""Which row of a table belongs to which patch of a plate, by the well it is of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.labels.meanings import named
from napari_patchmap.patches.wells import well_name, well_place

#: Names of columns that say which well a row is of, or which plate or field.
WELL_NAMES = ("well", "wellid", "wellname", "wellposition", "metadatawell", "wellkey")
_FIELDS = ("field", "fov", "site", "metadatafield", "metadatasite")
PLATE_NAMES = ("plate", "platename", "plateid", "barcode", "metadataplate")


def match_wells(
    rows: pd.DataFrame, table: pd.DataFrame, path: Path
) -> tuple[tuple[str, ...], np.ndarray] | None:
    """Match rows to patches by well, and by field and plate where both sides have them.

    Parameters
    ----------
    rows : DataFrame
        Of the table in the file ``path``, as text.
    table : DataFrame
        One row a patch, with ``well``, and ``plate`` and ``field`` if there are any.
    path : Path

    Returns
    -------
    tuple of (tuple of str, ndarray of int) or None
        The columns by which they were matched, and the row of each patch, -1 for none; None
        if the file has no column of wells, or none of those of this plate.

    Raises
    ------
    PatchError
        If several unlike rows are of one well.
    """
    column = next(iter(named(rows.columns, WELL_NAMES)), None)
    if column is None:
        return None
    keys, mine = [column], [table["well"].astype(str)]
    theirs = [rows[column].map(_same_name)]
    for names, own in ((_FIELDS, "field"), (PLATE_NAMES, "plate")):
        other = next(iter(named(rows.columns, names)), None)
        if other is None or own not in table:
            continue
        values, wanted = rows[other].map(_plain), table[own].map(_plain)
        if set(values) & set(wanted):  # they are told alike
            keys.append(other)
            theirs.append(values)
            mine.append(wanted)
    said, asked = (
        pd.Series(list(zip(*parts, strict=True)), dtype=object) for parts in (theirs, mine)
    )
    here = said.isin(set(asked))
    if not here.any():
        return None
    _check_alike(rows[here.to_numpy()], said[here], path)
    first = {key: row for row, key in reversed(list(enumerate(said)))}
    return tuple(keys), np.array([first.get(key, -1) for key in asked], np.intp)


def _check_alike(rows: pd.DataFrame, keys: pd.Series, path: Path) -> None:
    several = keys.duplicated(keep=False).to_numpy()
    unlike = rows[several].assign(**{"\0": [str(key) for key in keys[several]]})
    unlike = unlike.drop_duplicates()
    unlike = unlike[unlike["\0"].duplicated()]
    if len(unlike):
        raise PatchError(
            f"The labels file {path} has different rows for the well "
            f"{' '.join(map(str, keys[several].iloc[0]))}; keep one."
        )


def _same_name(value: object) -> str:
    place = well_place(value)
    return str(value).strip() if place is None else well_name(*place)


def _plain(value: object) -> str:
    text = str(value).strip()
    return str(int(text)) if text.isdigit() else text
