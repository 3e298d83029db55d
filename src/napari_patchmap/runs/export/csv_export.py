"""The table as CSV, which napari opens as a map by drag and drop."""

from __future__ import annotations

from pathlib import Path

from napari_patchmap.runs.export.export_format import Exportable, ExportFormat
from napari_patchmap.writing import whole_file


def _write(data: Exportable, path: Path) -> tuple[list[Path], list[str]]:
    with whole_file(path) as file:
        for part in data.watch.parts(len(data.table)):
            rows = data.table.iloc[part]
            rows.to_csv(file, index=False, header=part.start == 0, errors="backslashreplace")
    return [path], []


FORMAT = ExportFormat(".csv", "Table (CSV)", _write)
