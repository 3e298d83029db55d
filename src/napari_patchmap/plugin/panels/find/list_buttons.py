"""What can be done with a list: it is written to a file."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QPushButton

from napari_patchmap.errors import RunError
from napari_patchmap.plugin.panels.find.search_box import SearchBox
from napari_patchmap.plugin.qt.basics import button
from napari_patchmap.plugin.qt.saving import with_ending
from napari_patchmap.runs.found_files import write_list


def save_button(box: SearchBox) -> QPushButton:
    """Make a button that writes the list of a search as CSV, where a person says."""
    made = button("Save the list…", "", "Write the list as a table (CSV).")
    made.clicked.connect(lambda: _save(box))
    return made


def _save(box: SearchBox) -> None:
    start = f"{box.search.key}.csv"
    chosen, _ = QFileDialog.getSaveFileName(box, "Save the list", start, "Table (*.csv)")
    if not chosen or box.found is None:
        return
    try:
        path = with_ending(Path(chosen), ".csv")
        write_list(path, box.found, box.workspace.table)
    except RunError as error:
        box.said.say(str(error))
        return
    box.said.say(f"The list is in {path}.")
