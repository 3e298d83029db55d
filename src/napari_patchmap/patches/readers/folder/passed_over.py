"""Files of a folder that hold images, or may do so, in formats that are not read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from napari_patchmap import formats
from napari_patchmap.kind import Kind
from napari_patchmap.patches.names import printable
from napari_patchmap.patches.patchset import Skipped
from napari_patchmap.patches.readers.folder import headers
from napari_patchmap.patches.watch import Watch

#: What may be features as well: among images it is said to be some.
_AS_IMAGES = (".npy",)

#: What files of an ending are, and what would help.
_EXPORT = "export it as TIFF or PNG"
_KNOWN = {
    ".n5": ("an N5 store", _EXPORT),
    ".dcm": ("a DICOM file", _EXPORT), ".dicom": ("a DICOM file", _EXPORT),
    ".nii": ("a NIfTI volume", _EXPORT), ".mrc": ("an MRC volume", _EXPORT),
    ".mat": ("a MATLAB file", _EXPORT), ".jxl": ("a JPEG XL image", _EXPORT),
    ".avif": ("an AVIF image", _EXPORT), ".heic": ("a HEIC image", _EXPORT),
    ".heif": ("a HEIF image", _EXPORT),
}  # fmt: skip
#: The last that has an ending names it: the first in the list, but what may be a slide, and may
#: be something else, is called that.
_BY_NAME = sorted(
    formats.FORMATS,
    key=lambda one: (one.kind is not Kind.SLIDES, -formats.FORMATS.index(one)),
)
_KNOWN |= {
    ending: (one.name, f"open it alone{' as a stack' if one.kind is Kind.STACK else ''}")
    for one in _BY_NAME
    for ending in one.endings
    if one.kind is not Kind.POINTS or ending not in _AS_IMAGES
}

#: Endings of files beside images that are none.
_NO_IMAGES = {
    ".txt", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".toml", ".ini",
    ".cfg", ".conf", ".md", ".rst", ".html", ".htm", ".css", ".js", ".pdf", ".doc", ".docx",
    ".odt", ".rtf", ".xls", ".xlsx", ".ods", ".ppt", ".pptx", ".log", ".py", ".pyc", ".ipynb",
    ".m", ".r", ".rdata", ".rds", ".ijm", ".groovy", ".java", ".sh", ".bat", ".exe", ".dll",
    ".so", ".zip", ".gz", ".tar", ".7z", ".rar", ".db", ".sqlite", ".lnk", ".url", ".lock",
    ".bak", ".tmp", ".part", ".sha1", ".sha256", ".md5", ".cppipe", ".cpproj", ".qpdata",
    ".qpproj", ".geojson", ".roi", ".pt", ".pth", ".ckpt", ".onnx", ".pkl", ".pickle",
    ".parquet", ".feather", ".arrow", ".safetensors", ".properties", ".meta", ".info", ".nfo",
    ".me", ".license",
}  # fmt: skip

#: How many files without an ending are looked into.
_LOOKS = 500

_MAGIC = (
    (headers.PNG, "PNG", ".png"), (headers.JPEG, "JPEG", ".jpg"), (b"GIF8", "GIF", ".gif"),
    *((start, "TIFF", ".tif") for start in headers.TIFF),
)  # fmt: skip


def passed_over(root: Path, others: Sequence[str], watch: Watch) -> list[Skipped]:
    """List which of ``others``, files that were not taken for images, are some or may be."""
    skipped, looked = [], 0
    for name in others:
        zipped = (one for one in formats.ZIPPED_ZARR if name.lower().endswith(one))
        ending = next(zipped, os.path.splitext(name)[1].lower())
        if ending in _NO_IMAGES or os.path.basename(name).lower() == "thumbs.db":
            continue
        if ending in _KNOWN:
            what, remedy = _KNOWN[ending]
            reason = f"is {what}, which is not read among other images; {remedy}"
        elif not ending or ending[1:].isdigit():  # as scanners name DICOM files
            looked += 1
            reason = _look(f"{root}/{name}") if looked <= _LOOKS else ""
            if looked % 50 == 0:
                watch.step(0, 0)
        else:
            reason = f"is of a kind that is not read ({printable(ending)}); {_EXPORT}"
        if reason:
            skipped.append(Skipped(printable(name), reason))
    return skipped


def _look(path: str) -> str:
    """Say what image a file without an ending is, "" for none."""
    try:
        with open(path, "rb") as file:
            start = file.read(132)
    except OSError:
        return ""
    if start[128:] == b"DICM":
        return f"is a DICOM file, which is not read; {_EXPORT}"
    for magic, kind, ending in _MAGIC:
        if start.startswith(magic):
            return f"is a {kind} image without its ending; add {ending} to its name"
    return ""
