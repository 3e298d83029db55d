"""The blood cells that come with the package."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pandas as pd

from napari_patchmap.kind import Kind
from napari_patchmap.optional import optional
from napari_patchmap.patches.axes import RGB
from napari_patchmap.patches.box_table import box_table
from napari_patchmap.patches.images import ArrayImages
from napari_patchmap.patches.patchset import PatchSet

imagecodecs = optional("imagecodecs")

#: Height and width in pixels of every cell.
SIDE = 28


def bundled_cells() -> PatchSet:
    """Open about 2,000 cells of the PBC data set (Acevedo et al. 2020).

    A random draw of ``pbc28`` in natural proportions, all eight classes, with
    the columns ``label``, ``fine`` (a finer label) and ``files`` (the original
    image). Stored as one JPEG-LS image in which no value is more than 3 of 255
    off. Licence and citation lie beside the data.

    Examples
    --------
    >>> from napari_patchmap.patches import bundled_cells
    >>> cells = bundled_cells()
    >>> len(cells), cells.channel_names, cells.table["label"].nunique()
    (2000, ('red', 'green', 'blue'), 8)
    """
    folder = resources.files("napari_patchmap.patches") / "data"
    with (folder / "pbc.csv").open(encoding="utf-8") as file:
        columns = pd.read_csv(file, dtype=str)
    sheet = imagecodecs.jpegls_decode((folder / "pbc.jls").read_bytes())
    count = len(columns)
    across = sheet.shape[1] // SIDE
    cells = sheet.reshape(-1, SIDE, across, SIDE, 3).swapaxes(1, 2).reshape(-1, SIDE, SIDE, 3)
    table = box_table("pbc.jls", np.arange(count), np.tile([SIDE, SIDE], (count, 1)))
    return PatchSet(
        images=ArrayImages(cells[:count]),
        table=pd.concat([table, columns], axis=1),
        channel_names=RGB,
        name="Blood cells",
        origin={"kind": str(Kind.SAMPLE), "path": "", "count": count},
        label_from="kind",
    )
