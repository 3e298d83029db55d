"""What a file is by its first bytes, where that is not what its name says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from napari_patchmap import formats
from napari_patchmap.errors import PatchError, UnusableError

_TIFF = (".tif", ".tiff", ".btf", ".tf8", *formats.SURE_SLIDES)


class _Kind(NamedTuple):
    name: str
    starts: tuple[bytes, ...]
    endings: tuple[str, ...]
    """Of which the name of such a file has one."""
    at: int = 0


_KINDS = (
    # First, for its beginning may be that of a TIFF as well.
    _Kind("a DICOM file", (b"DICM",), (".dcm", ".dicom"), 128),
    _Kind("a zip file (as spreadsheets are)", (b"PK\x03\x04", b"PK\x05\x06"),
          (".zip", ".npz", ".ozx", ".xlsx", ".ods")),
    _Kind("an old spreadsheet (.xls)", (b"\xd0\xcf\x11\xe0",), (".xls",)),
    _Kind("a PNG image", (b"\x89PNG",), (".png",)),
    _Kind("a JPEG image", (b"\xff\xd8\xff",), (".jpg", ".jpeg", ".jfif", ".jpe", ".jif")),
    _Kind("a GIF image", (b"GIF8",), (".gif",)),
    _Kind("a TIFF image", (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"), _TIFF),
    _Kind("an HDF5 file", (b"\x89HDF\r\n\x1a\n",), formats.HDF5),
    _Kind("a NumPy array", (b"\x93NUMPY",), (".npy",)),
    _Kind("a Parquet table", (b"PAR1",), (".parquet", ".pq")),
    _Kind("a compressed file (gzip)", (b"\x1f\x8b",), (".gz", ".tgz")),
    _Kind("a PDF document", (b"%PDF",), (".pdf",)),
    _Kind("a Zeiss CZI file", (b"ZISRAWFILE",), (".czi",)),
)  # fmt: skip


def belied(path: Path) -> str:
    """Say what a file is if its name says otherwise; "" if it does not, or nobody knows."""
    try:
        with path.open("rb") as file:
            start = file.read(160)
    except OSError:
        return ""
    for kind in _KINDS:
        if start.startswith(kind.starts, kind.at):
            return "" if path.name.lower().endswith(kind.endings) else kind.name
    return ""


@contextmanager
def named_rightly(*paths: object) -> Iterator[None]:
    """Where one of some files cannot be read, say so if it is not what its name says.

    Many readers go by what a file holds, so only what fails is looked at.

    Raises
    ------
    PatchError
    """
    try:
        yield
    except PatchError as error:
        if type(error) in (PatchError, UnusableError):
            for path in (Path(str(path)) for path in paths if path):
                what = belied(path) if path.name in str(error) else ""
                if what:
                    raise PatchError(
                        f"{path} is {what} by its content, not what its name says; choose "
                        "another file, or give it the ending of what it is."
                    ) from None
        raise
