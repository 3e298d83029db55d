"""What the folders around images mean: classes, and splits such as train, test and fold_0."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from napari_patchmap.few_names import some_of
from napari_patchmap.patches.names import printable, tidy

#: What the folders of the classes are called, where another column becomes the label.
FOLDER = "folder"

#: Words of splits, each with what it comes to.
_SPLITS = {
    "train": "train", "training": "train", "trn": "train", "val": "val", "valid": "val",
    "validation": "val", "dev": "val", "test": "test", "testing": "test", "tst": "test",
    "eval": "test", "evaluation": "test", "holdout": "test",
}  # fmt: skip

#: Words of splits that are numbered.
_FOLDS = {"fold", "kfold", "cv", "split", "partition"}

#: Ends of words such as trainset.
_ENDS = ("sets", "set", "data", "images", "imgs")

#: Folders of one image, from the outermost.
_Parts = list[str]


def folder_columns(names: Sequence[str]) -> tuple[dict[str, list[str | None]], str]:
    """Take the label and the splits from the folders of images, whose paths have ``/`` in them.

    The label is the outermost folder that tells images apart and is no split. Splits
    may stand around the classes or within them; folders within the classes become
    columns as well.

    Returns
    -------
    columns : dict
        ``label``, ``split``, ``fold`` and ``folder 2``, as far as there are any; None for
        an image that has no such folder.
    note : str
        What was chosen, "" where nothing else could have been.
    """
    known: dict[str, _Parts] = {}
    parts = [_folders(name.rpartition("/")[0], known) for name in names]
    if not any(parts):
        return {}, ""
    splits: dict[str, list[str | None]] = {}
    parts = _without_wrapper(parts)
    while _is_split(parts):
        splits[_free(_kind(_level(parts)), splits)] = _level(parts)
        parts = _without_wrapper([p[1:] for p in parts])
    columns: dict[str, list[str | None]] = {}
    if any(parts):
        columns["label"] = _level(parts)
        parts = [p[1:] for p in parts]
        inner = _different(parts)
        if inner and all(_word(name) for name in inner):
            splits[_free(_kind(_level(parts)), splits)] = _level(parts)
            parts = [p[1:] for p in parts]
    columns |= splits
    for depth in range(2, 2 + max(map(len, parts), default=0)):
        if len(_different(parts)) > 1:
            columns[f"{FOLDER} {depth}"] = _level(parts)
        parts = [p[1:] for p in parts]
    return columns, _note(columns)


def _note(columns: dict[str, list[str | None]]) -> str:
    others = [name for name in columns if name != "label"]
    if not others:
        return ""
    listed = " and ".join(repr(name) for name in others)
    column = columns.get("label")
    if column is None:
        return (
            f"The folders ({_some(columns[others[0]])}) were taken for splits, not for labels: "
            f"they are the column {listed}, which can be made the label."
        )
    return (
        f"The labels are the folders {_some(column)}; other folders ("
        f"{_some(columns[others[0]])}) are in {listed}, which can be made the label."
    )


def _some(values: Iterable[str | None]) -> str:
    return some_of(sorted({value for value in values if value is not None}))


def _folders(path: str, known: dict[str, _Parts]) -> _Parts:
    if path not in known:
        known[path] = [tidy(printable(part)) for part in path.split("/")] if path else []
    return known[path]


def _level(parts: Sequence[_Parts]) -> list[str | None]:
    return [p[0] if p else None for p in parts]


def _different(parts: Sequence[_Parts]) -> set[str]:
    return {p[0] for p in parts if p}


def _without_wrapper(parts: Sequence[_Parts]) -> list[_Parts]:
    """Leave out a folder around all others, as archives often unpack to one.

    A picture beside the folders, which is of no class, does not count.
    """
    rest = list(parts)
    while len(outer := _different(rest)) == 1 and not _word(next(iter(outer))):
        inner = [p[1:] for p in rest]
        if not _tells_apart(inner):
            break
        rest = inner
    return rest


def _tells_apart(parts: Sequence[_Parts]) -> bool:
    """Whether folders at some depth have different names, or are splits."""
    while any(parts):
        names = _different(parts)
        if len(names) > 1 or any(map(_word, names)):
            return True
        parts = [p[1:] for p in parts]
    return False


def _is_split(parts: Sequence[_Parts]) -> bool:
    """Whether the outermost folders are splits rather than classes.

    ``train`` may be a class, too, among ``bus`` and ``car``; so names are not enough.
    """
    inner: dict[str, set[str]] = {name: set() for name in _different(parts)}
    for p in parts:
        if len(p) > 1:
            inner[p[0]].add(p[1])
    words = {name: word for name in inner if (word := _word(name))}
    if not words:
        return False
    others = inner.keys() - words.keys()
    below = set[str]().union(*(inner[name] for name in words))
    if not below:
        # Without classes within: several splits, and nothing beside them.
        return not others and (len(set(words.values())) > 1 or "fold" in words.values())
    return all(not inner[name] or inner[name] & below for name in others)


def _word(name: str) -> str:
    """Return the split that a folder's name means, "" if it means none."""
    words = re.findall(r"[^\W\d_]+|\d+", name.casefold())
    if not words:
        return ""
    first = words[0]
    if first in _FOLDS and all(word.isdigit() for word in words[1:]):
        return "fold"
    for end in ("", *_ENDS):
        if first.endswith(end) and first.removesuffix(end) in _SPLITS:
            return _SPLITS[first.removesuffix(end)]
    return ""


def _kind(level: Sequence[str | None]) -> str:
    names = {name for name in level if name is not None}
    return "fold" if all(_word(name) == "fold" for name in names) else "split"


def _free(name: str, taken: Iterable[str]) -> str:
    taken, number = set(taken), 2
    free = name
    while free in taken:
        free, number = f"{name} {number}", number + 1
    return free
