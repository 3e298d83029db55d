"""The features of a GeoJSON file one after another: a million cells take gigabytes of text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from napari_patchmap.errors import UnusableError

#: Characters that are read in one go.
_PART = 2**20


def json_features(path: Path, remedy: str) -> Iterator[Mapping[str, Any]]:
    """Read the features of a GeoJSON file: of a collection, a list, or a single one.

    Raises
    ------
    UnusableError
        If the file is no JSON, or is cut off.
    """
    with path.open(encoding="utf-8-sig") as file:
        try:
            for value in _values(file):
                yield from _with_children(value)
        except (ValueError, RecursionError) as error:
            raise UnusableError(f"is not a GeoJSON file ({error})", remedy) from None


def _with_children(value: Any) -> Iterator[Mapping[str, Any]]:
    """Give a feature, and those that QuPath writes into it with the hierarchy of objects."""
    if not isinstance(value, Mapping) or "geometry" not in value:
        return
    yield value
    known = value.get("properties")
    children = known.get("childObjects") if isinstance(known, Mapping) else None
    for child in children if isinstance(children, list) else ():
        yield from _with_children(child)


def _values(file: TextIO) -> Iterator[Any]:
    text = _Text(file)
    first = text.peek()
    if first == "[":
        yield from text.items()
    elif first == "{":
        known: dict[str, Any] = {}
        text.skip("{")
        while text.peek() != "}":
            name = text.value()
            text.skip(":")
            if name == "features" and text.peek() == "[":
                yield from text.items()
            else:
                known[str(name)] = text.value()
            if text.peek() == ",":
                text.skip(",")
        yield known
    else:
        text.value()  # which says what is wrong


class _Text:
    """Text of a file, of which what was read is forgotten."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._decoder = file, json.JSONDecoder()
        self._text, self._at, self._ended = "", 0, False

    def peek(self) -> str:
        """Return what comes next behind blanks, "" at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in " \t\r\n":
                self._at += 1
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def skip(self, mark: str) -> None:
        found = self.peek()
        if found != mark:
            raise ValueError(f"{found!r} in place of {mark!r}" if found else "it is cut off")
        self._at += 1

    def items(self) -> Iterator[Any]:
        """Read the items of a list one by one."""
        self.skip("[")
        while self.peek() != "]":
            yield self.value()
            if self.peek() != "]":
                self.skip(",")
        self.skip("]")

    def value(self) -> Any:
        """Read a whole value, however much of the file that takes."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError:
                if not self._more():
                    raise
                continue
            # A number at the end of the text may go on in the next part of the file.
            if end < len(self._text) or not self._more():
                self._at = end
                return value

    def _more(self) -> bool:
        """Read on, twice as far if one value takes it all; say whether there was anything."""
        if self._ended:
            return False
        rest = self._text[self._at :]
        part = self._file.read(max(_PART, len(rest)))
        self._text, self._at, self._ended = rest + part, 0, not part
        return bool(part)
