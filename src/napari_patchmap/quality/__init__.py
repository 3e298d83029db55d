"""How good a map is."""

from napari_patchmap.quality.report import evaluate, report_lines

__all__ = ["evaluate", "report_lines"]
