"""One file or folder a format: each turns what was asked for into a :class:`Source`.

Which formats there are, and which module reads each, stands in
:data:`napari_patchmap.formats.FORMATS`. Such a module defines ``read(request, watch)`` and,
where an ending does not tell, ``recognises(path, chosen)``.
:mod:`arrays`, :mod:`flat`, :mod:`chunked` and :mod:`array_columns` are what several share.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from napari_patchmap.formats import FORMATS, Format
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.source import Source
from napari_patchmap.patches.watch import Watch


def load() -> None:
    """Import every reader, so that nobody waits for that while something is opened."""
    for one in FORMATS:
        _module(one)


def recognises(one: Format, path: Path, chosen: bool = False) -> bool:
    """Whether a path holds a format, told without reading its pixels.

    Parameters
    ----------
    one : Format
    path : Path
    chosen : bool
        Whether a person has said that it is of this kind, so that it need only be possible.
    """
    named = path.name.lower().endswith(one.endings) and path.is_file()
    if not (named or path.is_dir()):
        return False
    look = getattr(_module(one), "recognises", None)
    return named if look is None else bool(look(path, chosen))


def read(one: Format, request: OpenRequest, watch: Watch) -> Source:
    """Read what is at ``request.path`` as a format, as far as its options say.

    Raises
    ------
    PatchError
        One sentence that names the file, what is wrong with it and the remedy.
    LoadCancelled
    """
    source: Source = _module(one).read(request, watch)
    return source


def _module(one: Format) -> Any:
    return import_module(f"{__name__}.{one.reader}")
