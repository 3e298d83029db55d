"""A folder of stacks, such as one file a well: read as one set, with a column for the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError, UnclearArrayError, UnclearAxesError
from napari_patchmap.patches.cache.fingerprint import fingerprint
from napari_patchmap.patches.images import GatheredImages, Images, as_images
from napari_patchmap.patches.latest import Latest
from napari_patchmap.patches.names import natural_key, printable
from napari_patchmap.patches.patchset import Skipped
from napari_patchmap.patches.readers.folder import image_folder
from napari_patchmap.patches.readers.folder.folder_labels import FOLDER, folder_columns
from napari_patchmap.patches.readers.folder.image_folder import find_images
from napari_patchmap.patches.readers.stack_folder.find_stacks import (
    few_planes,
    holds_stacks,
    reader_of,
    single_array,
)
from napari_patchmap.patches.readers.tiff.ome_files import first_of_series
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.source import Source
from napari_patchmap.patches.watch import UNWATCHED, LoadCancelled, Watch
from napari_patchmap.patches.wells import wells_in

#: Files that are open at a time: systems allow some hundreds.
_OPEN = 200

#: The column that says which file a patch is of.
FILE = "file"


@dataclass
class _Stack:
    name: str
    source: Source


class _Opened(Images):
    """The images of one file of many, which is opened again when it is wanted."""

    def __init__(
        self, images: Images, key: int, files: Latest[Images], read: Callable[[], Images]
    ) -> None:
        self._key, self._files, self._read = key, files, read
        self.dtype, self.channels, self.sizes = images.dtype, images.channels, images.sizes
        self.sequential, self.in_memory = images.sequential, images.in_memory
        files.get(key, lambda: images)

    def _images(self) -> Images:
        return self._files.get(self._key, self._read)

    def __getitem__(self, index: int) -> np.ndarray:
        return self._images()[index]

    def take(self, indices: object) -> np.ndarray:
        """Return some images of one size as ``(n, height, width, channel)``."""
        return self._images().take(np.asarray(indices))


def recognises(path: Path, chosen: bool) -> bool:
    """Whether a path is a folder of files of which each is a stack; if chosen, may be."""
    return path.is_dir() and holds_stacks(path)


def read(request: OpenRequest, watch: Watch) -> Source:
    """Open every stack below a folder, in natural order of their paths.

    Folders around them are labels and splits as those of images are. A file that cannot be
    read is left out, with its reason.

    Raises
    ------
    PatchError
        If none can be read, or they cannot be one set.
    UnclearAxesError, UnclearArrayError
        If that is asked of the first.
    LoadCancelled
    """
    root = Path(request.path)
    if request.axes != "auto" and not set(request.axes.upper()) - set("YXCS"):
        return image_folder.read(request, watch)  # a person says that each file is an image
    images, skipped, others = find_images(root, watch)
    found = [name for name in [*images, *others] if reader_of(name) is not None]
    names = sorted(found, key=natural_key)
    names, together = first_of_series(root, names)
    if request.axes == "auto" and names:
        _ask_of_few(root / names[0])
    stacks: list[_Stack] = []
    trouble: PatchError | None = None
    for number, name in enumerate(names):
        watch.step(number, len(names))
        try:
            stacks.append(_Stack(name, _read(root / name, request, watch)))
        except (LoadCancelled, UnclearAxesError, UnclearArrayError):
            raise
        except PatchError as error:
            trouble = trouble or error
            reason = str(error).removeprefix(f"{root / name} ").removesuffix(".")
            skipped.append(Skipped(printable(name), reason))
    if not stacks:
        raise trouble or PatchError(f"The folder {root} holds no stacks; choose another.")
    _check_alike(stacks, root)
    source = _joined(stacks, root, request)
    source.skipped = skipped + source.skipped
    source.notes += together
    return source


def _ask_of_few(path: Path) -> None:
    """Ask what the planes of TIFF files are where they are few: they may be channels."""
    count = few_planes(path)
    if count:
        raise UnclearAxesError(
            f"{path} and the files beside it hold {count} planes each, without saying what "
            "they are; set axes to CYX if they are the channels of one patch, to NYX if each "
            "is a patch.",
            ("CYX", "NYX"),
        )


def _read(path: Path, request: OpenRequest, watch: Watch) -> Source:
    module = reader_of(path.name)
    assert module is not None
    alone = request.but(path=path, labels=None)
    if request.axes == "auto" and (axes := single_array(path)):
        alone = alone.but(axes=axes)  # each file is a patch
    quiet = watch.at(0, 0)
    source = module.read(alone, quiet)
    source.images = as_images(source.images)
    return source


def _check_alike(stacks: list[_Stack], root: Path) -> None:
    first = stacks[0]
    for other in stacks:
        for what, one, two in (
            ("pixel types", *(as_images(s.source.images).dtype for s in (first, other))),
            ("channels", *(" + ".join(s.source.channel_names) for s in (first, other))),
        ):
            if one != two:
                raise PatchError(
                    f"The stacks in {root} have different {what} ({one} in {first.name}, {two} "
                    f"in {other.name}); move them to folders of their own."
                )


def _joined(stacks: list[_Stack], root: Path, request: OpenRequest) -> Source:
    files: Latest[Images] = Latest(_OPEN)
    parts: list[Images] = []
    tables, notes = [], Counter[str]()
    columns, said = folder_columns([stack.name for stack in stacks])
    wells = wells_in(stack.name for stack in stacks)
    if wells is not None:
        columns["well"] = [*wells]
    skipped = []
    for number, (name, source) in enumerate((one.name, one.source) for one in stacks):
        path = root / name

        def again(path: Path = path) -> Images:
            return as_images(_read(path, request, UNWATCHED).images)

        parts.append(_Opened(as_images(source.images), number, files, again))
        table = source.table.assign(source=printable(name))
        table[FILE] = printable(name)
        for column, values in columns.items():
            table[column if column not in source.table else f"{column} (folder)"] = values[
                number
            ]
        tables.append(table)
        notes.update(note.replace(f"{path.name} ", "") for note in source.notes)
        skipped += [
            Skipped(printable(name) + one.source.removeprefix(path.name), one.reason)
            for one in source.skipped
        ]
    first, known = stacks[0].source, {stack.source.mpp for stack in stacks}
    names = [f"{one.name}/{name}" for one in stacks for name in one.source.names or ()]
    joined = Source(
        GatheredImages.joined(parts), pd.concat(tables, ignore_index=True), first.channel_names,
        names=names if len(names) == sum(map(len, tables)) else None, skipped=skipped,
        label_from=FOLDER if "label" in columns else first.label_from,
        mpp=first.mpp if len(known) == 1 else None,
    )  # fmt: skip
    joined.notes = [f"{len(stacks):,} files were read as one set; the column file says which."]
    joined.notes += [
        note if count == 1 else f"{note} ({count:,} files)" for note, count in notes.items()
    ]
    joined.notes += [said] if said else []
    costly = [one.source.fingerprint for one in stacks]
    if any(costly) or len(stacks) > _OPEN:
        plain = [(one.name, root / one.name) for one in stacks if not one.source.fingerprint]
        joined.fingerprint = fingerprint("stacks", plain, axes=request.axes, parts=costly)
    return joined
