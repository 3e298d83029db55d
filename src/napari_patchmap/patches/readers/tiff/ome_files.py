"""OME-TIFFs that are spread over several files: read once, not each file by itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tifffile

from napari_patchmap.errors import UnusableError
from napari_patchmap.patches.readers.tiff.tiff_metadata import ome_xml

#: How OME says that a file holds nothing but pixels.
_ONLY = "}BinaryOnly"

#: Bytes of a description; that of 100,000 planes takes 20 MB.
_LARGEST = 2**28


def open_tiff(path: Path) -> tifffile.TiffFile:
    """Open a TIFF file; of an OME-TIFF that another file describes, with that description.

    Raises
    ------
    UnusableError
        If the other file is not there.
    Exception
        Whatever tifffile raises.
    """
    tif = tifffile.TiffFile(path)
    root = ome_xml(tif)
    nodes = [] if root is None else [node for node in root if node.tag.endswith(_ONLY)]
    name = nodes[0].get("MetadataFile") if nodes else None
    if not name:
        return tif
    tif.close()
    other = path.with_name(Path(name).name)
    if not other.is_file():
        raise UnusableError(
            f"is described by the file {name}, which is not beside it",
            "put it back, or export all planes into one file",
        )
    if not other.name.lower().endswith(".ome"):  # one of the files describes them all
        return tifffile.TiffFile(other)
    if other.stat().st_size > _LARGEST:
        raise UnusableError(f"is described by {name}, which is too large to be that")
    return tifffile.TiffFile(path, omexml=other.read_text("utf-8").strip())


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
        with open_tiff(path) as tif:
            root = ome_xml(tif)
    except Exception:  # noqa: BLE001 - a damaged file: whoever reads it says so
        return []
    names = {node.get("FileName") for node in ([] if root is None else root.iter())}
    files = [path.parent / name for name in names if name and (path.parent / name).is_file()]
    return files if len(files) > 1 else []
