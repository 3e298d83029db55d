"""DICOM images as patches: the frames of a file, or the files of a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.axes import GREY, RGB
from napari_patchmap.patches.box_table import box_table
from napari_patchmap.patches.cache.fingerprint import fingerprint
from napari_patchmap.patches.images import Images
from napari_patchmap.patches.patchset import Skipped
from napari_patchmap.patches.readers.dicom.dicom_file import (
    DicomHead,
    dicom_files,
    frame_of,
    heads_of,
)
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.source import Source
from napari_patchmap.patches.watch import Watch


class DicomImages(Images):
    """Frames of files of one pixel type and number of channels, those of a file together."""

    def __init__(self, heads: Sequence[DicomHead]) -> None:
        self._heads = list(heads)
        counts = [head.frames for head in heads]
        self.file_of = np.repeat(np.arange(len(heads)), counts)
        self.frame_of = np.concatenate([np.arange(count) for count in counts])
        sizes = np.array([(head.height, head.width) for head in heads], np.int64)
        self.sizes = sizes[self.file_of]
        self.dtype, self.channels = heads[0].dtype, heads[0].channels

    def __getitem__(self, index: int) -> np.ndarray:
        at = range(len(self))[index]
        return frame_of(self._heads[int(self.file_of[at])], int(self.frame_of[at]))


def recognises(path: Path, chosen: bool) -> bool:
    """Whether a path is a DICOM file, or a folder of nothing else."""
    return bool(dicom_files(path))


def read(request: OpenRequest, watch: Watch) -> Source:
    """Open the frames of a DICOM file, or of all those in a folder.

    Raises
    ------
    PatchError
        If there is a single image, or none that can be used.
    MissingPackageError
        Without pydicom.
    """
    path = Path(request.path)
    files = dicom_files(path)
    heads: list[DicomHead] = []
    skipped: list[Skipped] = []
    for done, (file, head) in enumerate(heads_of(files)):
        watch.step(done, len(files))
        if isinstance(head, str):
            skipped.append(Skipped(file.name, head))
        else:
            heads.append(head)
    if not heads:
        raise PatchError(
            f"{skipped[0].source} {skipped[0].reason}."
            if len(files) == 1
            else f"None of the {len(files):,} files in {path} can be used "
            f"({skipped[0].source} {skipped[0].reason})."
        )
    kind = Counter((head.dtype, head.channels) for head in heads).most_common(1)[0][0]
    unlike = [head for head in heads if (head.dtype, head.channels) != kind]
    skipped += [
        Skipped(head.path.name, f"has {head.channels} channel(s) of {head.dtype}, others have "
                f"{kind[1]} of {kind[0]}")
        for head in unlike
    ]  # fmt: skip
    heads = [head for head in heads if (head.dtype, head.channels) == kind]
    images = DicomImages(heads)
    if len(images) == 1 and len(files) == 1:
        raise PatchError(
            f"{path} is one single image ({heads[0].width} x {heads[0].height}), not patches; "
            "choose the folder that holds it and the others."
        )
    names = [heads[at].path.name for at in images.file_of.tolist()]
    marks = fingerprint("dicom", [(head.path.name, head.path) for head in heads])
    return Source(
        images, box_table(names, images.frame_of, images.sizes), RGB if kind[1] == 3 else GREY,
        names=names if len(heads) == len(images) else None, skipped=skipped, fingerprint=marks,
    )  # fmt: skip
