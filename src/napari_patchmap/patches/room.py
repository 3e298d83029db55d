"""Whether the memory takes what is to be read as a whole, asked before it is."""

from __future__ import annotations

from napari_patchmap.errors import PatchError
from napari_patchmap.system import free_memory

#: Of the free memory, what may be filled at once.
_SHARE = 0.8


def check_room(nbytes: int, what: str, remedy: str) -> None:
    """Refuse, as a :class:`PatchError`, what would take more memory than there is.

    ``what`` is which file, or part of one; ``remedy`` what people can do about it.
    """
    free = free_memory()
    if free is not None and nbytes > _SHARE * free:
        raise PatchError(
            f"{what} takes {nbytes / 1e9:,.1f} GB when it is read, and only "
            f"{free / 1e9:,.1f} GB of memory are free; {remedy}."
        )
