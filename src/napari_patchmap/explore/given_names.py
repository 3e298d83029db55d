"""Names that people give: what they may be, and which two are the same to a person."""

from __future__ import annotations

import re
import unicodedata

from napari_patchmap.errors import AnnotationError

#: The longest name of a class or of a column, in letters.
LONGEST = 100

#: Name of what the features suggest, where columns are listed.
SUGGESTED = "suggested"

#: Columns that mean something else in the files of a run.
_RESERVED = {
    "index", "label", "source", "frame", "y", "x", "height", "width", "label_id", SUGGESTED,
}  # fmt: skip


def clean_name(text: str, of: str) -> str:
    """Return a name in one Unicode form, without blanks around it.

    Raises
    ------
    AnnotationError
        If nothing is left, or it is longer than ``LONGEST``.
    """
    name = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip()
    name = "".join(letter for letter in name if letter.isprintable())
    if not name:
        raise AnnotationError(f"The {of} has no name yet; type one.")
    if len(name) > LONGEST:
        raise AnnotationError(
            f"The name of the {of} is {len(name):,} letters long; {LONGEST} are the most."
        )
    return name


def proper_name(text: str, of: str) -> str:
    """Return a clean name that can be that of a column; errors also where it cannot."""
    name = clean_name(text, of)
    same = comparable(name)
    if same in _RESERVED or same.startswith(("axis-", "quality:")):
        raise AnnotationError(
            f"{name} means something else in the files of a run; choose another name for "
            f"the {of}."
        )
    return name


def comparable(name: str) -> str:
    """Return what two names have in common that people take for one."""
    return " ".join(unicodedata.normalize("NFC", str(name)).casefold().split())
