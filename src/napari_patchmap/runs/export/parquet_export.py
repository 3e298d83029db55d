"""The table as Parquet, which keeps types and is read in a moment."""

from __future__ import annotations

from pathlib import Path

from napari_patchmap.optional import optional
from napari_patchmap.runs.export.export_format import Exportable, ExportFormat
from napari_patchmap.runs.export.safe_columns import text_of, unique_names
from napari_patchmap.writing import whole_file


def _write(data: Exportable, path: Path) -> tuple[list[Path], list[str]]:
    pyarrow, parquet = optional("pyarrow"), optional("pyarrow.parquet")
    columns = {}
    for name, (_, values) in zip(
        unique_names(data.table.columns), data.table.items(), strict=True
    ):
        # A column has one type there; of several kinds in one, text is made.
        if values.dtype == object or str(values.dtype) == "str":
            columns[name] = pyarrow.array(text_of(values, missing=None), pyarrow.string())
        else:
            columns[name] = pyarrow.Array.from_pandas(values)
    with whole_file(path) as file:
        parquet.write_table(pyarrow.table(columns), file)
    return [path], []


FORMAT = ExportFormat(".parquet", "Table (Parquet)", _write)
