"""Names of files as they can be shown, saved and put in order."""

from __future__ import annotations

import re
import unicodedata

#: What breaks a line or a table: control characters, line separators, and the
#: stand-ins (surrogates) for bytes of a name that are not UTF-8.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

#: Signs of no width that stray into cells, such as the mark at the beginning of a file.
_UNSEEN = re.compile("[\u200b\u2060\ufeff]")

_DIGITS = re.compile("([0-9]+)")


def printable(name: str) -> str:
    r"""Return a name with everything escaped that no table or line of text can hold.

    A byte that is not UTF-8 becomes ``\xe4``, a line break ``\n``; letters are
    composed, see :func:`composed`; spaces stay as they are.
    """
    return composed(name if name.isprintable() else _UNSAFE.sub(_escape, name))


def composed(text: str) -> str:
    """Return text in the one form (NFC) in which names are compared.

    macOS writes ä into the names of files as an a and two dots, people type one letter.
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def tidy(text: str) -> str:
    """Return composed text without blanks around it, and with single ones within it."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join(composed(_UNSEEN.sub("", text)).split())


def natural_key(path: str) -> tuple[list[str | int], str]:
    """Sort key that puts ``cell 2`` before ``cell 10``; equal for no two paths."""
    # A folder's own files come together: no character sorts before the end of a name.
    parts: list[str | int] = list(_DIGITS.split(path.casefold().replace("/", "\0")))
    parts[1::2] = map(int, parts[1::2])
    return parts, path


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # how Python keeps a byte that it could not decode
        return f"\\x{code - 0xDC00:02x}"
    return match[0].encode("unicode_escape").decode()
