"""The patches as one picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.colors import to_rgba
from PIL import Image

from napari_patchmap.errors import RunError
from napari_patchmap.explore.export import contact_sheet
from napari_patchmap.explore.palette import MISSING
from napari_patchmap.runs.export.export_format import Exportable, ExportFormat
from napari_patchmap.writing import whole_file

#: The most patches on a sheet: nobody looks at more, and viewers cannot open it.
MOST = 10_000


def _write(data: Exportable, path: Path) -> tuple[list[Path], list[str]]:
    if len(data.rows) > MOST:
        raise RunError(
            f"A contact sheet of {len(data.rows):,} patches is too large to be opened; choose "
            f"at most {MOST:,} of them (--only, --rows)."
        )
    patches = data.open_patches()
    # Those of a class together.
    order = np.argsort(data.classes.astype(str), kind="stable")
    colours = data.class_colours
    frames = [to_rgba(colours.get(name, MISSING)) for name in data.classes[order]]
    sheet = contact_sheet(
        patches, data.rows[order], np.array(frames, np.float32), watch=data.watch
    )
    with whole_file(path) as file:
        Image.fromarray(sheet).save(file, format="PNG")
    return [path], []


FORMAT = ExportFormat(".png", "Contact sheet (PNG)", _write)
