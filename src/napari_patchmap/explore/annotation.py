"""One column of what a person calls the patches: classes, and which patch has which.

It is a value: a change gives another one, so that each step can be undone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from napari_patchmap.errors import AnnotationError
from napari_patchmap.explore.colouring import Colouring
from napari_patchmap.explore.given_names import clean_name, comparable
from napari_patchmap.explore.palette import categorical_colours, missing_colour

#: The most classes of a column.
MOST_CLASSES = 500


@dataclass(frozen=True)
class AnnotationClass:
    """A class of a person's own.

    Parameters
    ----------
    name : str
    colour : str
        ``#rrggbb``.
    key : str
        The key that gives it, "1" to "9", or "" for none.
    """

    name: str
    colour: str
    key: str = ""


@dataclass(frozen=True, eq=False)
class Annotation:
    """One column: a person's classes, and the class of each patch.

    Parameters
    ----------
    name : str
    codes : ndarray of int16, shape (n,)
        Position in ``classes`` of the class of each patch, -1 for none.
    classes : tuple of AnnotationClass
    unseen : ndarray of bool, shape (n,), optional
        Which patches have their class because it was suggested and taken over with many
        others, so that nobody has looked at each.

    Examples
    --------
    >>> import numpy as np
    >>> empty = Annotation("annotation", np.full(4, -1, np.int16))
    >>> named = empty.with_class("blast").give(np.array([0, 2]), 0)
    >>> named.names.tolist()
    ['blast', '', 'blast', '']
    """

    name: str
    codes: np.ndarray
    classes: tuple[AnnotationClass, ...] = ()
    unseen: np.ndarray = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.unseen is None:
            object.__setattr__(self, "unseen", np.zeros(len(self.codes), bool))
        self.codes.setflags(write=False)
        self.unseen.setflags(write=False)

    @property
    def names(self) -> np.ndarray:
        """Class of every patch by name, ``(n,)`` objects, "" where there is none."""
        return self.names_of()

    def names_of(self, rows: np.ndarray | None = None) -> np.ndarray:
        """Class of some patches by name, or of every one as in :attr:`names`."""
        known = np.array([*(one.name for one in self.classes), ""], object)
        named: np.ndarray = known[self.codes if rows is None else self.codes[rows]]
        return named

    @property
    def colours(self) -> dict[str, str]:
        """Colour ``#rrggbb`` of each class by its name."""
        return {one.name: one.colour for one in self.classes}

    def counts(self, rows: np.ndarray | None = None) -> np.ndarray:
        """Count the patches of each class, of all or of ``rows``, shape ``(classes,)``."""
        codes = self.codes if rows is None else self.codes[rows]
        return np.bincount(codes + 1, minlength=len(self.classes) + 1)[1:]

    def members(self, at: int) -> np.ndarray:
        """Return the patches of one class; of -1, those without any."""
        return np.flatnonzero(self.codes == at)

    def at(self, name: str) -> int:
        """Return the position of the class of a name, -1 if there is none."""
        same = comparable(name)
        names = (comparable(one.name) for one in self.classes)
        return next((at for at, one in enumerate(names) if one == same), -1)

    def at_key(self, key: str) -> int:
        """Return the position of the class that a key gives; -1 for "0" and unused ones."""
        keys = [one.key for one in self.classes]
        return keys.index(key) if key and key in keys else -1

    # -- patches ------------------------------------------------------------------------

    def give(self, rows: np.ndarray, at: int) -> Annotation:
        """Give patches a class, or none with -1; the same annotation if nothing changes."""
        return self.take(rows, np.full(len(rows), at, np.int16))

    def take(self, rows: np.ndarray, codes: np.ndarray, unseen: bool = False) -> Annotation:
        """Give each of some patches a class of its own, as ``codes`` say.

        Who gives a patch the class that it has unseen has looked at it.
        """
        if np.array_equal(self.codes[rows], codes) and (self.unseen[rows] == unseen).all():
            return self
        new = self.codes.copy()
        new[rows] = codes
        return replace(self, codes=new).marked(rows, unseen)

    def marked(self, rows: np.ndarray, unseen: bool) -> Annotation:
        """Note whether some patches have their class unseen; those without one never do."""
        marked = self.unseen.copy()
        marked[rows] = unseen
        return replace(self, unseen=marked & (self.codes >= 0))

    # -- classes ------------------------------------------------------------------------

    def with_class(
        self, name: str, colour: str | None = None, key: str | None = None
    ) -> Annotation:
        """Add a class; colour and key are the first that are free if not given.

        Raises
        ------
        AnnotationError
            If the name is empty, too long or taken, or there are too many.
        """
        if len(self.classes) >= MOST_CLASSES:
            raise AnnotationError(
                f"There are {MOST_CLASSES} classes already; merge or delete some first."
            )
        name = self._free(name)
        if colour is None:
            taken = {one.colour for one in self.classes}
            palette = [to_hex(c) for c in categorical_colours(len(taken) + 1)]
            colour = next((c for c in palette if c not in taken), palette[-1])
        if key is None:
            used = {one.key for one in self.classes}
            key = next((k for k in "123456789" if k not in used), "")
        return replace(self, classes=(*self.classes, AnnotationClass(name, colour, key)))

    def with_classes(self, names: Iterable[str]) -> Annotation:
        """Add those classes that are not there yet; blank names are passed over."""
        annotation = self
        for name in names:
            if name.strip() and annotation.at(name) < 0:
                annotation = annotation.with_class(name)
        return annotation

    def renamed(self, at: int, name: str) -> Annotation:
        """Give a class another name; an :class:`AnnotationError` as in :meth:`with_class`."""
        return self._with(at, replace(self.classes[at], name=self._free(name, but=at)))

    def recoloured(self, at: int, colour: str) -> Annotation:
        """Give a class another colour, ``#rrggbb``."""
        return self._with(at, replace(self.classes[at], colour=colour))

    def with_key(self, at: int, key: str) -> Annotation:
        """Give a class another key; whoever had it has none then."""
        classes = [replace(c, key="") if c.key == key else c for c in self.classes]
        classes[at] = replace(classes[at], key=key)
        return replace(self, classes=tuple(classes))

    def merged(self, at: int, into: int) -> Annotation:
        """Give all patches of one class another one, and take the first away."""
        codes = self.codes.copy()
        codes[codes == at] = into
        return replace(self, codes=codes).without(at)

    def without(self, at: int) -> Annotation:
        """Take a class away; its patches have none then."""
        kept = [one for place, one in enumerate(self.classes) if place != at]
        to = np.arange(-1, len(self.classes)) - (np.arange(-1, len(self.classes)) > at)
        to[at + 1] = -1
        codes = to[self.codes + 1].astype(np.int16)
        unseen = self.unseen & (codes >= 0)
        return replace(self, codes=codes, classes=tuple(kept), unseen=unseen)

    def colouring(self) -> Colouring:
        """Return the colours of the patches, classes in their order, those without grey."""
        names = [one.name for one in self.classes]
        palette = [rgba(one.colour) for one in self.classes]
        codes = self.codes.astype(np.intp)
        missing = bool((codes < 0).any())
        if missing:
            codes[codes < 0] = len(names)
            names.append("not annotated")
            palette.append(missing_colour())
        colours = np.array(palette, np.float32).reshape(-1, 4)
        return Colouring(
            self.name, colours[codes], tuple(names), colours, codes, missing=missing
        )

    def _with(self, at: int, changed: AnnotationClass) -> Annotation:
        if self.classes[at] == changed:
            return self
        classes = [*self.classes]
        classes[at] = changed
        return replace(self, classes=tuple(classes))

    def _free(self, name: str, but: int = -1) -> str:
        name = clean_name(name, "class")
        there = self.at(name)
        if there >= 0 and there != but:
            raise AnnotationError(
                f"There is a class {self.classes[there].name} already; choose another name, "
                "or merge the two."
            )
        return name


def conflicts(annotation: Annotation, labels: Sequence[str] | np.ndarray) -> np.ndarray:
    """Return the patches, annotated and labelled, of which the two names differ."""
    label_codes, known = pd.factorize(np.asarray(labels, object))
    same = np.array([annotation.at(str(name)) if str(name).strip() else -2 for name in known])
    of_label = same[label_codes] if len(known) else np.full(len(annotation.codes), -2)
    there = (annotation.codes >= 0) & (of_label != -2)
    return np.flatnonzero(there & (annotation.codes != of_label))


def rgba(colour: str) -> np.ndarray:
    """Return a colour ``#rrggbb`` as float32 RGBA, 0 to 1."""
    return np.array([*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)), 1.0], np.float32)
