"""The formats that patches can be exported to, as dialogs list them."""

from __future__ import annotations

from pathlib import Path

from napari_patchmap.errors import RunError
from napari_patchmap.runs.export import (
    csv_export,
    folder_export,
    geojson_export,
    h5ad_export,
    parquet_export,
    sheet_export,
    stack_export,
)
from napari_patchmap.runs.export.export_format import ExportFormat

#: One row a format.
EXPORT_FORMATS: tuple[ExportFormat, ...] = (
    csv_export.FORMAT,
    parquet_export.FORMAT,
    h5ad_export.FORMAT,
    geojson_export.FORMAT,
    folder_export.FORMAT,
    *stack_export.FORMATS,
    sheet_export.FORMAT,
)

#: Endings that are written another way, too.
_SAME = {".tiff": ".tif"}


def export_format_of(path: Path) -> ExportFormat:
    """Return the format that a name asks for by its ending.

    Raises
    ------
    RunError
        If there is none of that ending.
    """
    ending = "" if path.is_dir() else path.suffix.lower()
    for one in EXPORT_FORMATS:
        if one.ending == _SAME.get(ending, ending):
            return one
    known = ", ".join(one.ending for one in EXPORT_FORMATS if one.ending)
    raise RunError(
        f"{path.name} ends in {path.suffix}, which is no format to export to; there are "
        f"{known}, and a name without an ending for a folder of images."
    )
