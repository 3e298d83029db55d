"""OME-TIFFs that are spread over several files: read once, not each file by itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tifffile

from napari_patchmap.patches.readers.tiff.tiff_metadata import ome_xml


def first_of_series(root: Path, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Leave out of a folder the files that are read with another one, of one OME-TIFF.

    Only if the first OME-TIFF is spread over several files are the others looked into.

    Returns
    -------
    names : list of str
        What is left.
    notes : list of str
        What was left out, in a sentence.
    """
    maybe = {name for name in names if name.lower().endswith((".ome.tif", ".ome.tiff"))}
    first = next((name for name in names if name in maybe), None)
    if first is None or not _files_of_series(root / first):
        return list(names), []
    together: set[Path] = set()
    kept, parts = [], []
    for name in names:
        path = root / name
        if path in together:
            parts.append(name)
            continue
        kept.append(name)
        if name in maybe:
            together |= {*_files_of_series(path)} - {path}
    if not parts:
        return kept, []
    note = (
        f"{len(parts):,} files, such as {parts[0]}, are parts of an OME-TIFF that was read "
        "with its first file."
    )
    return kept, [note]


def _files_of_series(path: Path) -> list[Path]:
    """Return the files, this one among them, over which an OME-TIFF is spread, else none."""
    try:
        with tifffile.TiffFile(path) as tif:
            root = ome_xml(tif)
    except Exception:  # noqa: BLE001 - a damaged file: whoever reads it says so
        return []
    names = {node.get("FileName") for node in ([] if root is None else root.iter())}
    files = [path.parent / name for name in names if name and (path.parent / name).is_file()]
    return files if len(files) > 1 else []
