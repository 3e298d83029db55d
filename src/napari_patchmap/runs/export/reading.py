"""The pixels of the patches that are exported, one after the other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from napari_patchmap.errors import PatchError, RunError
from napari_patchmap.patches import PatchSet
from napari_patchmap.runs.export.export_format import Exportable
from napari_patchmap.runs.identity import name_of


class Reading:
    """Reads patches, and notes which could not be read.

    Raises
    ------
    RunError
        If the images of all of them are gone.

    Attributes
    ----------
    notes : list of str
        What was left out, in sentences.
    """

    def __init__(self, data: Exportable, patches: PatchSet) -> None:
        self.notes: list[str] = []
        self._data, self._patches = data, patches
        missing = np.isin(data.rows, patches.missing)
        #: Rows of the table whose images are there.
        self.rows = np.flatnonzero(~missing)
        if not len(self.rows):
            raise RunError(
                f"The images of these patches of {data.name} are not there any more; say where "
                "they are now (--images FOLDER), or export the table."
            )
        if missing.any():
            first = name_of(data.table, int(np.flatnonzero(missing)[0]))
            self.notes.append(
                f"{missing.sum():,} of {len(missing):,} patches are skipped, since their "
                f"images are not there any more (first {first})."
            )

    def each(self) -> Iterator[tuple[int, np.ndarray]]:
        """Go through the rows that can be read, with their ``(height, width, channel)``.

        Raises
        ------
        RunError
            At the end, if none could be read.
        """
        failed: list[str] = []
        for done, row in enumerate(self.rows.tolist()):
            self._data.watch.step(done, len(self.rows))
            try:
                pixels = self._patches[int(self._data.rows[row])]
            except PatchError as error:
                failed.append(str(error))
                continue
            yield row, pixels
        if len(failed) == len(self.rows):
            raise RunError(failed[0])
        if failed:
            self.notes.append(
                f"{len(failed):,} patches could not be read and are skipped: {failed[0]}"
            )
