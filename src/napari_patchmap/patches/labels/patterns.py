"""Labels and other columns that people write into the names of their files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.box_table import BOX_COLUMNS
from napari_patchmap.patches.labels.values import as_text, numbers_if_all
from napari_patchmap.patches.names import composed, printable
from napari_patchmap.patches.watch import UNWATCHED, Watch

#: A field of a template: {label}, or {} for a part that is of no interest.
_FIELD = re.compile(r"\{([^\W\d]\w*)?\}")


def columns_from_pattern(
    names: Sequence[str], pattern: str, where: str, watch: Watch = UNWATCHED
) -> tuple[dict[str, Any], list[str]]:
    r"""Take columns out of file names.

    Parameters
    ----------
    names : sequence of str
        Paths of the images below the folder, ``/`` between the parts.
    pattern : str
        Either a template of the name's end, such as ``{label}_{patient}_{}.png``,
        in which each field stands for text without a ``/``, as short as can be;
        the ending may be left out. Or a regular expression that is searched in
        the path; its named groups are the columns, such as
        ``(?P<label>[a-z]+)_\d+``. A single group without a name is the label.
    where : str
        What people call the folder.
    watch : Watch, optional

    Returns
    -------
    columns : dict of str to ndarray
        Values by column name, missing where a name does not fit: text for
        ``label``, numbers where all are numbers, else text.
    notes : list of str
        How many names do not fit.

    Raises
    ------
    PatchError
        If the pattern cannot be used, or fits none of the names.
    LoadCancelled
    """
    names = [composed(name) for name in names]
    expression = _compile(pattern)
    groups = _columns(expression, pattern)
    texts: dict[str, list[str | None]] = {column: [] for column in groups}
    matched, example = 0, ""
    for part in watch.parts(len(names)):
        found = list(map(expression.search, names[part]))
        fitting = len(found) - found.count(None)
        matched += fitting
        if fitting < len(found) and not example:
            example = printable(names[part.start + found.index(None)])
        for column, group in groups.items():
            texts[column] += [
                printable(one[group]) if one and one[group] else None for one in found
            ]
    if not matched:
        raise PatchError(_fits_none(pattern, names, where))
    notes = []
    if matched < len(names):
        notes.append(
            f"{len(names) - matched:,} of {len(names):,} file names, such as {example}, do not "
            f"fit the pattern {pattern}."
        )
    columns: dict[str, Any] = {}
    for column in groups:
        values = np.array(texts.pop(column), dtype=object)
        # A user's column never overwrites where a patch lies.
        free = f"{column} (file name)" if column in BOX_COLUMNS else column
        columns[free] = (
            as_text(values, watch) if column == "label" else numbers_if_all(values, watch)
        )
        watch.step(len(names), len(names))
    return columns, notes


def check_pattern(pattern: str, names: Sequence[str] = (), where: str = "") -> None:
    """Say what is wrong with a pattern, or that it fits none of some names.

    Raises
    ------
    PatchError
    """
    expression = _compile(pattern)
    _columns(expression, pattern)
    if names and not any(map(expression.search, map(composed, names))):
        raise PatchError(_fits_none(pattern, names, where))


def _fits_none(pattern: str, names: Sequence[str], where: str) -> str:
    return (
        f"The pattern {pattern} fits none of the {len(names):,} images in {where}, such as "
        f"{printable(names[0])}; change the pattern."
    )


def _compile(pattern: str) -> re.Pattern[str]:
    pattern = composed(pattern)
    if _FIELD.search(pattern):
        return re.compile(_translated(pattern), re.IGNORECASE)
    try:
        return re.compile(pattern)
    except re.error as error:
        at = f" at character {error.pos + 1}" if error.pos is not None else ""
        raise PatchError(
            f"The pattern {pattern} is not a regular expression ({error.msg}{at}); correct it, "
            "or write a template such as {label}_{patient}_{}.png."
        ) from None


def _translated(template: str) -> str:
    """Turn a template into a regular expression for the last parts of a path."""
    parts, at, seen = ["(?:^|/)"], 0, set[str]()
    for field in _FIELD.finditer(template):
        parts.append(re.escape(template[at : field.start()]))
        name = field[1]
        if name in seen:  # the same text once more
            parts.append(f"(?P={name})")
        else:
            parts.append(f"(?P<{name}>[^/]+?)" if name else "[^/]*?")
        if name:
            seen.add(name)
        at = field.end()
    parts.append(re.escape(template[at:]))
    return "".join(parts) + r"(?:\.[^./]+)?$"


def _columns(expression: re.Pattern[str], pattern: str) -> dict[str, int]:
    """Say which group of the expression becomes which column."""
    groups = dict(expression.groupindex)
    unnamed = sorted(set(range(1, expression.groups + 1)) - set(groups.values()))
    label = next((name for name in groups if name.lower() == "label"), None)
    if label is not None:
        return {("label" if name == label else name): at for name, at in groups.items()}
    if len(unnamed) == 1:
        return {"label": unnamed[0], **groups}
    if groups:
        return groups
    if unnamed:
        raise PatchError(
            f"The pattern {pattern} has {len(unnamed)} groups without a name; name the "
            "columns, for example (?P<label>...) and (?P<patient>...)."
        )
    raise PatchError(
        f"The pattern {pattern} takes nothing out of the names; write {{label}} where the "
        "label stands, or a regular expression with a group (?P<label>...)."
    )
