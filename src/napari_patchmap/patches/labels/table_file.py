"""A table (CSV, Parquet) as people's programs write it: separators, encodings, row names."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError
from napari_patchmap.foreign import decoding
from napari_patchmap.optional import optional
from napari_patchmap.patches.labels.layout import with_decimal_points, with_one_header
from napari_patchmap.patches.labels.values import counts_rows
from napari_patchmap.patches.names import tidy
from napari_patchmap.patches.room import check_room
from napari_patchmap.patches.watch import UNWATCHED, Watch

#: Ends of the names of tables in Parquet.
PARQUET = (".parquet", ".pq")

#: How a file in Parquet begins.
_PARQUET = b"PAR1"

#: The index of a table that pandas wrote to Parquet without a name.
_INDEX = "__index_level_0__"

#: Bytes that a cell takes as text, about.
_CELL = 64

#: How spreadsheets begin: .xlsx and .ods are zip archives, .xls is an older container.
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")

#: Cells that are read between two reports.
_CELLS = 300_000

#: What Excel writes for "Unicode text".
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_table(
    path: Path, watch: Watch = UNWATCHED, notes: list[str] | None = None
) -> pd.DataFrame:
    """Read a CSV file with a header row, or Parquet: every cell as text, NaN where empty.

    The separator (comma, semicolon or tab) is taken from the header, or from the
    line ``sep=;`` that Excel understands. Headers of several rows become one, and
    decimal commas points. Row names, which R and pandas write into a column without
    a name, are left out if they only count.

    ``notes`` takes up what people should know of how the table was read; ``watch`` is told
    now and then how many rows are read, of an unknown number (0).

    Raises
    ------
    PatchError
        If the file is missing, is not such a table, or has no rows.
    MissingPackageError
        Without pyarrow, of a table in Parquet.
    LoadCancelled
    """
    notes = [] if notes is None else notes
    try:
        with path.open("rb") as file:
            start = file.read(4096)
        if start.startswith(_PARQUET):
            return _read_parquet(path, watch, notes)
        if start.startswith(_SPREADSHEETS):
            raise PatchError(
                f"The labels file {path} is a spreadsheet, not a CSV table; open it in its "
                "program and save it as CSV."
            )
        if start.startswith(_UTF_16):
            return _read(path, "utf-16", watch, notes)
        if b"\0" in start:
            raise PatchError(
                f"The labels file {path} is not a CSV table (it is no text); choose another."
            )
        try:
            return _read(path, "utf-8-sig", watch, notes)
        except UnicodeDecodeError:
            return _read(path, "latin-1", watch, notes)
    except FileNotFoundError:
        raise PatchError(f"There is no labels file {path}; check the path.") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise PatchError(
            f"The labels file {path} cannot be read ({reason}); check the path and its "
            "permissions."
        ) from None
    except (ValueError, csv.Error) as error:  # the parsers' errors
        reason = " ".join(str(error).split())
        raise PatchError(
            f"The labels file {path} is not a CSV table ({reason}); save it with a header row "
            "and one row an image."
        ) from None


def _read(path: Path, encoding: str, watch: Watch, notes: list[str]) -> pd.DataFrame:
    with path.open(encoding=encoding, newline="") as file:
        header = file.readline()
        said = header.strip().strip('"')
        excel = said.lower().startswith("sep=") and len(said) == 5
        separator = said[4] if excel else max(",;\t", key=header.count)
        if not excel:
            file.seek(0)
        # Read by the csv module, for pandas gives the second of two equal names another.
        names = next(csv.reader(file, delimiter=separator, skipinitialspace=True), [])
    labels = [name for name in names if name.strip().lower() == "label"]
    if len(labels) > 1:
        raise PatchError(
            f"The labels file {path} has {len(labels)} columns called 'label'; rename all but "
            "one."
        )
    parts: list[pd.DataFrame] = []
    count = 0
    with pd.read_csv(
        path,
        sep=separator,
        encoding=encoding,
        dtype=object,
        keep_default_na=False,
        na_values=[""],
        skipinitialspace=True,
        skiprows=1 if excel else 0,
        chunksize=_CELLS // max(6, min(len(names), 1000)),
    ) as reader:
        for part in reader:
            if parts:
                watch.step(count, 0)
            parts.append(part)
            count += len(part)
    # Without their index, unless it is the row names that pandas found.
    rows = pd.concat(parts, ignore_index=isinstance(parts[0].index, pd.RangeIndex))
    if rows.empty:
        raise PatchError(f"The labels file {path} has no rows below its header.")
    if not isinstance(rows.index, pd.RangeIndex):
        rows = _with_row_names(rows, path)
    rows, of_header = with_one_header(rows, names if len(names) == rows.shape[1] else [])
    notes += of_header
    first = str(rows.columns[0]).strip()
    unnamed = not first or first.startswith("Unnamed: ")
    if unnamed and len(rows.columns) > 1 and counts_rows(rows.iloc[:, 0]):
        rows = rows.iloc[:, 1:]
    if separator != ",":
        rows, of_points = with_decimal_points(rows)
        notes += of_points
    rows.columns = [tidy(str(column)) for column in rows.columns]
    return rows


def _read_parquet(path: Path, watch: Watch, notes: list[str]) -> pd.DataFrame:
    arrow, parquet = optional("pyarrow"), optional("pyarrow.parquet", "pyarrow")
    with decoding(path, "is not a complete Parquet table", "copy or save it again"):
        about = parquet.ParquetFile(path).metadata
        check_room(
            about.num_rows * about.num_columns * _CELL, str(path),
            "save the columns that you need alone",
        )  # fmt: skip
        watch.step(0, 0)
        table = parquet.read_table(path)
    if not len(table):
        raise PatchError(f"The labels file {path} has no rows.")
    columns: dict[str, np.ndarray] = {}
    for name, values in zip(table.column_names, table.columns, strict=True):
        watch.step(0, 0)
        try:
            text = values.cast(arrow.string()).to_pandas().to_numpy(object)
        except (arrow.ArrowInvalid, arrow.ArrowNotImplementedError):
            notes.append(f"The column {name} of {path.name} holds no single values; left out.")
            continue
        columns[tidy(name)] = np.where(pd.isna(text) | (text == ""), np.nan, text)
    index = columns.get(_INDEX)
    if index is not None and counts_rows(pd.Series(index)):
        del columns[_INDEX]
    return pd.DataFrame(columns, dtype=object)


def _with_row_names(rows: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Bring back what pandas made the index because the header has a column too few."""
    if rows.index.nlevels > 1:
        raise PatchError(
            f"The labels file {path} has more columns than names in its header; name each."
        )
    if rows.iloc[:, -1].isna().all():  # every row ends with a separator
        columns = rows.columns
        rows = rows.reset_index().iloc[:, :-1]
        return rows.set_axis(columns, axis=1)
    names = pd.Series(rows.index)
    rows = rows.reset_index(drop=True)
    if not counts_rows(names):
        rows.insert(0, "row", names.to_numpy(), allow_duplicates=True)
    return rows
