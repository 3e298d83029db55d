"""Colours of the points: by label, by any column of the table, or one for all."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from napari_patchmap.explore.palette import (
    categorical_colours,
    frequent_first,
    missing_colour,
    shades,
)
from napari_patchmap.explore.text_codes import text_codes
from napari_patchmap.patches.quantity import is_quantity

#: Categories that get a colour of their own; the rarer ones share "other".
MOST_CATEGORIES = 40

#: Percentiles between which a number column's colours run.
_ROBUST = (1.0, 99.0)

_CALM = np.array((0.36, 0.64, 0.81, 1.0), np.float32)
_OTHER = np.array((0.74, 0.74, 0.74, 1.0), np.float32)


@dataclass(frozen=True, eq=False)
class Colouring:
    """One colour a patch, and what the legend says about them.

    Attributes
    ----------
    column : str
        Column of the table that is shown, empty for one colour.
    colours : ndarray of float32, shape (n, 4)
        RGBA of every patch, 0 to 1.
    names : tuple of str
        Groups in legend order; empty for numbers.
    palette : ndarray of float32, shape (len(names), 4)
        RGBA of each group.
    codes : ndarray of intp, shape (n,)
        Group of every patch, as a position in ``names``.
    limits : tuple of float, or None
        For numbers: the values at the two ends of the colour bar.
    missing : bool
        Whether the last group is that of the patches without a value.
    """

    column: str
    colours: np.ndarray
    names: tuple[str, ...] = ()
    palette: np.ndarray = field(default_factory=lambda: np.empty((0, 4), np.float32))
    codes: np.ndarray = field(default_factory=lambda: np.empty(0, np.intp))
    limits: tuple[float, float] | None = None
    missing: bool = False

    def counts(self, indices: np.ndarray | None = None) -> np.ndarray:
        """Count the patches of each group, of all patches or of ``indices``."""
        if not self.names:
            return np.empty(0, np.intp)
        codes = self.codes if indices is None else self.codes[indices]
        return np.bincount(codes, minlength=len(self.names))

    def members(self, group: int) -> np.ndarray:
        """Return the indices of the patches in one group."""
        return np.flatnonzero(self.codes == group)

    def part(self, rows: np.ndarray) -> Colouring:
        """Return the colouring of some patches; groups of which there are none go."""
        colours = self.colours[rows]
        if not self.names:
            return replace(self, colours=colours)
        kept = np.flatnonzero(self.counts(rows))
        to = np.zeros(len(self.names), np.intp)
        to[kept] = np.arange(len(kept))
        names = tuple(self.names[group] for group in kept)
        codes = to[self.codes[rows]]
        return replace(
            self, colours=colours, names=names, palette=self.palette[kept], codes=codes
        )


def colour_by(table: pd.DataFrame, column: str) -> Colouring:
    """Colour patches by a column of their table, or all alike when it is empty.

    Text, yes/no, ``label`` and whole numbers with few values are categories,
    the most frequent first, or in the order that a categorical column has. Other
    numbers run along viridis between their 1st and 99th percentile, so that single
    extreme values do not flatten the rest.
    Groups that are parts of a label, or join labels, take its colour or shades of it.
    """
    if not column:
        return Colouring("", np.tile(_CALM, (len(table), 1)))
    values = table[column]
    if column != "label" and is_quantity(values):
        return _by_number(column, values.to_numpy(dtype=float, na_value=np.nan))
    colouring = _by_category(column, values)
    if column == "label" or "label" not in table:
        return colouring
    return _matched(colouring, _by_category("label", table["label"]))


def columns_to_show(table: pd.DataFrame) -> list[str]:
    """Columns that can tell patches apart, ``label`` first.

    A column with one value only says nothing, nor does one that numbers the rows or
    the objects; a text column with another value for each patch has no groups.
    """
    useful: list[str] = []
    for name in table.columns:
        values = table[name].dropna()
        different = values.nunique()
        if name == "label":
            if different:
                useful.insert(0, name)
        elif different < 2 or _is_number(name, table[name]):
            continue
        elif is_quantity(values) or different <= max(2, len(table) // 2):
            useful.append(name)
    return useful


def scale_colours(n: int = 256) -> np.ndarray:
    """Return the RGBA steps of the colour bar, low to high, shape ``(n, 4)``."""
    from matplotlib import colormaps

    return np.asarray(colormaps["viridis"](np.linspace(0, 1, n)), np.float32)


def _is_number(name: str, values: pd.Series) -> bool:
    """Whether a column counts: 7, 8, 9 from row to row, or the objects of an image."""
    if name == "label_id":
        return True
    whole = pd.api.types.is_integer_dtype(values) and not values.isna().any()
    return bool(whole and len(values) > 2 and (np.diff(values.to_numpy(np.int64)) == 1).all())


def _by_number(column: str, values: np.ndarray) -> Colouring:
    known = np.isfinite(values)
    colours = np.tile(missing_colour(), (len(values), 1))
    if not known.any():
        return Colouring(column, colours, limits=(0.0, 0.0))
    low, high = (float(v) for v in np.percentile(values[known], _ROBUST))
    span = high - low or 1.0
    steps = scale_colours()
    place = np.clip((values[known] - low) / span, 0, 1) * (len(steps) - 1)
    colours[known] = steps[place.round().astype(np.intp)]
    return Colouring(column, colours, limits=(low, high))


def _by_category(column: str, values: pd.Series) -> Colouring:
    of, texts = text_codes(values)  # which text each patch has
    counts = np.bincount(of, minlength=len(texts))
    order = frequent_first(texts, counts)
    named = order if len(order) <= MOST_CATEGORIES else order[: MOST_CATEGORIES - 1]
    if isinstance(values.dtype, pd.CategoricalDtype) and values.dtype.ordered:
        rank = {str(name): at for at, name in enumerate(values.dtype.categories)}
        named = sorted(named, key=lambda at: rank[texts[at]])
    names, palette = [texts[at] for at in named], [*categorical_colours(len(named))]
    group = np.full(len(texts), -1, np.intp)
    group[named] = np.arange(len(named))
    if len(order) > len(named):
        group[order[len(named) :]] = len(names)
        names.append(f"other ({len(order) - len(named)} more)")
        palette.append(_OTHER)
    missing = texts.index("")
    if counts[missing]:
        group[missing] = len(names)
        names.append("no label" if column == "label" else "no value")
        palette.append(missing_colour())
    rgba, codes = np.array(palette, np.float32).reshape(-1, 4), group[of]
    return Colouring(
        column, rgba[codes], tuple(names), rgba, codes, missing=bool(counts[missing])
    )


def _matched(colouring: Colouring, labels: Colouring) -> Colouring:
    """Give groups the colours of the labels that they are, are part of or consist of."""
    groups, named = proper_groups(colouring), proper_groups(labels)
    size = len(colouring.names), len(labels.names)
    pairs = np.bincount(colouring.codes * size[1] + labels.codes, minlength=size[0] * size[1])
    both = pairs.reshape(size)
    both = both[np.ix_(groups, named)]
    if not both.any():
        return colouring
    label_of, palette = named[both.argmax(axis=1)], colouring.palette.copy()
    if ((both > 0).sum(axis=1) <= 1).all():
        # Finer: shades of a label's colour, the most frequent group in just that.
        for label in np.unique(label_of):
            within = label_of == label
            first = np.argsort(-both[within].max(axis=1), kind="stable")
            palette[groups[within][first]] = shades(labels.palette[label], len(first))
    elif ((both > 0).sum(axis=0) <= 1).all():  # coarser
        palette[groups] = labels.palette[label_of]
    else:
        names = {labels.names[label]: label for label in named.tolist()}
        same = [group for group in groups.tolist() if colouring.names[group] in names]
        if not same:
            return colouring
        palette[same] = [labels.palette[names[colouring.names[group]]] for group in same]
        # The others take colours that none of these has.
        taken, others = {tuple(colour) for colour in palette[same]}, np.setdiff1d(groups, same)
        free = [c for c in categorical_colours(2 * MOST_CATEGORIES) if tuple(c) not in taken]
        palette[others] = np.reshape(free[: len(others)], (-1, 4))
    return replace(colouring, palette=palette, colours=palette[colouring.codes])


def proper_groups(colouring: Colouring) -> np.ndarray:
    """Return the groups with a name of their own: not the rare, not those without."""
    shared = np.array([_OTHER, missing_colour()])
    own: np.ndarray = (colouring.palette[:, None] != shared).any(axis=2).all(axis=1)
    return np.flatnonzero(own)
