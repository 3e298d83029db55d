"""The formats that patches can be exported to, as dialogs list them."""

from __future__ import annotations

from pathlib import Path

from napari_patchmap.errors import RunError
from napari_patchmap.runs.export.csv_export import FORMAT as CSV
from napari_patchmap.runs.export.export_format import ExportFormat
from napari_patchmap.runs.export.folder_export import FORMAT as FOLDER
from napari_patchmap.runs.export.geojson_export import FORMAT as GEOJSON
from napari_patchmap.runs.export.h5ad_export import FORMAT as H5AD
from napari_patchmap.runs.export.parquet_export import FORMAT as PARQUET
from napari_patchmap.runs.export.sheet_export import FORMAT as SHEET
from napari_patchmap.runs.export.stack_export import FORMATS as STACKS

#: One row a format.
EXPORT_FORMATS: tuple[ExportFormat, ...] = (
    CSV,
    PARQUET,
    H5AD,
    GEOJSON,
    FOLDER,
    *STACKS,
    SHEET,
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
