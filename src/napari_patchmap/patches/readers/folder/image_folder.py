"""A folder of image files as patches, sub-folders as labels."""

from __future__ import annotations

import heapq
import os
import time
from pathlib import Path

import numpy as np

from napari_patchmap import formats
from napari_patchmap.errors import PatchError
from napari_patchmap.patches.box_table import BOX_COLUMNS, box_table
from napari_patchmap.patches.cache.fingerprint import fingerprint
from napari_patchmap.patches.labels.join import LabelsFile
from napari_patchmap.patches.labels.patterns import check_pattern, columns_from_pattern
from napari_patchmap.patches.names import natural_key, printable
from napari_patchmap.patches.patchset import Skipped
from napari_patchmap.patches.readers.folder.decode import KINDS
from napari_patchmap.patches.readers.folder.folder_decoder import FolderDecoder
from napari_patchmap.patches.readers.folder.folder_labels import FOLDER, folder_columns
from napari_patchmap.patches.readers.folder.passed_over import passed_over
from napari_patchmap.patches.readers.tiff.ome_files import first_of_series
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.source import Source, add_pattern_columns, check_columns
from napari_patchmap.patches.watch import Watch

#: Folders that systems put beside people's images.
_SYSTEM = {"__macosx", "@eadir", "$recycle.bin", "system volume information"}

#: Folders that are one image each.
_STORES = (".zarr", ".n5")

#: Seconds between two reports while folders are looked through.
_REPORT = 0.1


def recognises(path: Path, chosen: bool) -> bool:
    """Whether a path is a folder: what no other reader knows may hold images."""
    return path.is_dir()


def read(request: OpenRequest, watch: Watch) -> Source:
    """Decode every image below a folder, in natural order of their paths.

    ``request.axes`` are those of each TIFF file. Labels that were read and a pattern are
    checked against the names before any image is decoded.

    Raises
    ------
    PatchError
        If there are no images, none can be read, or they cannot be one set.
    LoadCancelled
    """
    root, pattern, labels = Path(request.path), request.pattern, request.labels
    names, skipped, others = find_images(root, watch)
    if not names and skipped:
        raise PatchError(
            f"No image in {root} can be read ({skipped[0].source} {skipped[0].reason}); check "
            "its permissions."
        )
    if not names:
        raise PatchError(_explain_nothing(root, others))
    if pattern:
        check_pattern(pattern, names, str(root))
    if isinstance(labels, LabelsFile):
        labels.check(names, root.name or str(root), watch)
    if request.columns:
        _check_columns(request, names, watch)
    skipped += passed_over(root, others, watch)
    names, together = first_of_series(root, names)
    paths = [f"{root}/{name}" for name in names]
    mark = fingerprint("folder", zip(names, paths, strict=True), axes=request.axes)
    images, known = FolderDecoder(paths, names, str(root), request.axes).decode(mark, watch)
    reasons = dict(known["reasons"])
    skipped += [Skipped(printable(names[i]), why) for i, why in reasons.items()]
    kept = [name for i, name in enumerate(names) if i not in reasons]
    table = box_table(
        [printable(name) for name in kept], np.zeros(len(kept), np.int64), images.sizes
    )
    columns, said = folder_columns(kept)
    for column, values in columns.items():
        table[column] = values
    notes = [*known["notes"], *([said] if said else []), *together]
    channel_names = tuple(known["channel_names"])
    source = Source(images, table, channel_names, kept, notes, skipped, label_from=FOLDER)
    if pattern:
        add_pattern_columns(source, pattern, str(root), watch)
    return source


def _check_columns(request: OpenRequest, names: list[str], watch: Watch) -> None:
    """Raise a PatchError if a wanted column comes neither from names nor from labels."""
    known = [*BOX_COLUMNS, "label", *folder_columns(names)[0]]
    if request.pattern:
        known += columns_from_pattern(names, request.pattern, str(request.path), watch)[0]
    if isinstance(request.labels, LabelsFile):
        known += request.labels.rows.columns
    check_columns(request.columns, known, Path(request.path).name)


# -- which files -----------------------------------------------------------


def find_images(root: Path, watch: Watch) -> tuple[list[str], list[Skipped], list[str]]:
    """List the image files below ``root`` by their path in it, ``/`` between the parts.

    Hidden files, those of the system and run folders of Patchmap are ignored.
    Links are followed, to each folder once and after the folders themselves, so
    that an image is listed where it lies.

    Returns
    -------
    images : list of str, in natural order
    skipped : list of Skipped
        Sub-folders that cannot be looked into, and links to nothing.
    others : list of str
        The files that are no images.

    Raises
    ------
    PatchError
        If ``root`` itself cannot be looked into.
    LoadCancelled
    """
    images: list[str] = []
    skipped: list[Skipped] = []
    others: list[str] = []
    home = os.path.realpath(root)
    seen: set[str] = set()
    waiting, reported = [("", home)], time.monotonic()
    links: list[tuple[list[str | int], str]] = []
    tiled = False
    while waiting or links:
        if waiting:
            folder, real = waiting.pop()
        else:
            # Real folders first, and links in order: the same labels on every machine.
            folder = heapq.heappop(links)[1]
            real = os.path.realpath(f"{root}/{folder}")
            if home.startswith(os.path.join(real, "")) and real != home:
                skipped.append(Skipped(printable(folder), "is a link to a folder around it"))
                continue
        if real in seen:
            continue
        seen.add(real)
        try:
            with os.scandir(f"{root}/{folder}") as entries:
                found = list(entries)
        except OSError as error:
            reason = error.strerror or str(error)
            if not folder:
                raise PatchError(
                    f"The folder {root} cannot be opened ({reason}); check its permissions."
                ) from None
            skipped.append(Skipped(printable(folder), f"cannot be opened ({reason})"))
            continue
        if folder and {"config.json", "embedding.csv"} <= {entry.name for entry in found}:
            continue  # a run saved among its own images; map.png is no patch
        # Tiles cut by Patchmap: the picture of the slide they come from is no patch.
        tiled = tiled or any(entry.name == "tiles.csv" for entry in found)
        for at, entry in enumerate(found):
            if at % 1024 == 0 and time.monotonic() - reported > _REPORT:
                watch.step(len(images), 0)
                reported = time.monotonic()
            name = entry.name
            if name.startswith(".") or name.casefold() in _SYSTEM:
                continue
            if tiled and name == "tiles.png":
                continue
            path = f"{folder}/{name}" if folder else name
            image = name.lower().endswith(formats.IMAGES)
            try:
                if entry.is_dir() and name.lower().endswith(_STORES):
                    others.append(path)  # of which every chunk is a file
                elif entry.is_dir():
                    if entry.is_symlink():
                        heapq.heappush(links, natural_key(path))
                    else:
                        waiting.append((path, os.path.join(real, name)))
                elif image and entry.is_file():
                    images.append(path)
                elif not image and (not entry.is_symlink() or entry.is_file()):
                    others.append(path)
                else:
                    skipped.append(Skipped(printable(path), "is no file, or a link to nothing"))
            except OSError as error:  # a link to itself, or to where one may not look
                reason = error.strerror or str(error)
                skipped.append(Skipped(printable(path), f"cannot be opened ({reason})"))
    return sorted(images, key=natural_key), skipped, sorted(others)


def _explain_nothing(root: Path, others: list[str]) -> str:
    if not others:
        return f"The folder {root} is empty; choose one that holds {KINDS} images."
    return (
        f"The folder {root} holds no {KINDS} images, only {len(others):,} other "
        f"file{'s'[: len(others) > 1]} such as {printable(others[0])}; choose another folder."
    )
