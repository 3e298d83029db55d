"""Where what decoders raise becomes one sentence of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from napari_patchmap.errors import PatchError, PatchmapError

#: Characters of a foreign error that people are shown: torch lists every weight.
_LONGEST = 200

#: Bytes of a file, as Python writes them down.
_BYTES = re.compile(r"""\bb(?P<quote>['"])(\\.|(?!(?P=quote)).)*(?P=quote)""")

#: A sentence that tells programmers what to call: "Use force=True to force reading."
_CALL = re.compile(r"(^|(?<=[.;] ))[A-Z][^.;]*\w=(True|False|None)\b[^.;]*[.;]?")


def words(error: BaseException) -> str:
    """Say in a line what an error of others is; of a long list its beginning.

    What it says to programmers is left out.
    """
    said = " ".join(_CALL.sub("", _BYTES.sub("...", " ".join(str(error).split()))).split())
    said = said.rstrip(".")
    if len(said) > _LONGEST:
        said = said[:_LONGEST].rstrip() + " ..."
    return said or type(error).__name__


@contextmanager
def decoding(path: object, wrong: str, remedy: str) -> Iterator[None]:
    """Turn whatever is raised of a file into a sentence that names it.

    Any library may raise anything on a damaged or hostile file, and other things in its next
    version, so nothing is listed here. Our own sentences pass; our few words get the name.

    Parameters
    ----------
    path : path
        As people know it.
    wrong : str
        What it seems to be, such as "is not a complete NumPy file".
    remedy : str
        What people can do about it.

    Raises
    ------
    PatchError
    """
    try:
        yield
    except PatchError as error:
        raise error.of(path) from None
    except PatchmapError:
        raise
    except MemoryError:
        raise PatchError(
            f"{path} does not fit into the memory; close other programs, or save it in "
            "smaller parts."
        ) from None
    except OSError as error:
        if error.strerror is None:  # of a decoder, not of the system
            raise PatchError(f"{path} {wrong} ({words(error)}); {remedy}.") from error
        raise PatchError(
            f"{path} cannot be opened ({error.strerror}); check its permissions."
        ) from None
    except Exception as error:
        raise PatchError(f"{path} {wrong} ({words(error)}); {remedy}.") from error
