"""The words of a condition: names of columns, values, operators, and where each stands."""

from __future__ import annotations

import re
from dataclasses import dataclass

from napari_patchmap.errors import PatchmapError

#: Letters of a condition, and brackets within brackets.
LONGEST, DEEPEST = 5_000, 50

#: Words that are no columns unless they stand in backticks.
RESERVED = ("and", "or", "not", "in", "is", "true", "false")

#: What some people write for our operators.
_ALSO = {"=": "==", "<>": "!=", "≤": "<=", "≥": ">=", "≠": "!=", "&&": "and", "&": "and",
         "||": "or", "|": "or", "!": "not", "~": "not"}  # fmt: skip

_WORD = re.compile(
    r"""(?P<space>\s+)
    | (?P<number>[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<column>`(?:[^`]|``)*`)
    | (?P<word>[^\W\d][\w.]*)
    | (?P<sign><=|>=|==|!=|<>|&&|\|\||[<>=≤≥≠!~&|(),\[\]])
    | (?P<open>["'`].*)""",
    re.VERBOSE | re.DOTALL,
)


class ConditionError(PatchmapError):
    """A condition that cannot be followed.

    Parameters
    ----------
    sentence : str
    start, end : int
        The letters of the condition that are meant, to be marked where it is typed.
    """

    def __init__(self, sentence: str, start: int = 0, end: int = 0) -> None:
        super().__init__(sentence)
        self.start, self.end = start, end


@dataclass(frozen=True)
class ConditionWord:
    """One word of a condition.

    Attributes
    ----------
    kind : str
        ``number``, ``text``, ``column`` (in backticks), ``word``, ``sign``, ``open`` (a quote
        that is not closed) or ``end``.
    said : str
        As it was typed.
    start : int
        Its first letter, from 0.
    """

    kind: str
    said: str
    start: int

    @property
    def end(self) -> int:
        """The letter after its last."""
        return self.start + len(self.said)

    @property
    def key(self) -> str:
        """The operator or the word of ours that it is: lower case, "" for what is none."""
        if self.kind == "word":
            return self.said.lower()
        return _ALSO.get(self.said, self.said) if self.kind == "sign" else ""

    @property
    def value(self) -> str:
        """The text or the name that is meant, without what is around it."""
        if self.kind == "text":
            return re.sub(r"\\(.)", r"\1", self.said[1:-1], flags=re.DOTALL)
        if self.kind == "column":
            return self.said[1:-1].replace("``", "`")
        return self.said

    def error(self, sentence: str) -> ConditionError:
        """Return an error that points at this word."""
        return ConditionError(sentence, self.start, self.end)


def words_of(text: str) -> list[ConditionWord]:
    """Split a condition into its words, the last of which is ``end``.

    Raises
    ------
    ConditionError
        At a letter that belongs nowhere, or when it is too long.
    """
    if len(text) > LONGEST:
        raise ConditionError(
            f"The condition has {len(text):,} letters; write one of at most {LONGEST:,}.",
            LONGEST,
            len(text),
        )
    found, place = [], 0
    while place < len(text):
        match = _WORD.match(text, place)
        if match is None:
            letter = text[place]
            raise ConditionError(
                f"{letter!r} (letter {place + 1}) belongs to no condition; put text in quotes, "
                "and names of columns with unusual letters in backticks.",
                place,
                place + 1,
            )
        if match.lastgroup != "space":
            found.append(ConditionWord(str(match.lastgroup), match[0], place))
        place = match.end()
    return [*found, ConditionWord("end", "", len(text))]


def quoted(value: str) -> str:
    """Write a text as it stands in a condition."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def named(column: str) -> str:
    """Write the name of a column as it stands in a condition."""
    plain = re.fullmatch(r"[^\W\d][\w.]*", column)
    if plain and column.lower() not in RESERVED:
        return column
    return "`" + column.replace("`", "``") + "`"


def short(text: str) -> str:
    """Return what was typed, or its beginning."""
    return text if len(text) <= 40 else f"{text[:39]}…"
