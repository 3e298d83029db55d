"""Taking patches elsewhere: tables, AnnData, GeoJSON, images."""

from napari_patchmap.runs.export.export_format import Exportable, ExportFormat
from napari_patchmap.runs.export.export_formats import EXPORT_FORMATS, export_format_of
from napari_patchmap.runs.export.export_run import Exported, export
from napari_patchmap.runs.export.map_parts import MapParts

__all__ = [
    "EXPORT_FORMATS",
    "ExportFormat",
    "Exportable",
    "Exported",
    "MapParts",
    "export",
    "export_format_of",
]
