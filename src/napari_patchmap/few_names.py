"""How many names are listed in a sentence without naming all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def some_of(names: Sequence[Any] | np.ndarray, most: int = 3) -> str:
    """List the first few names; dots stand for the others.

    Examples
    --------
    >>> some_of(["B2", "B3", "B4", "B5"])
    'B2, B3, B4, ...'
    """
    return ", ".join(map(str, names[:most])) + (", ..." if len(names) > most else "")


def and_more(names: Sequence[Any] | np.ndarray, most: int = 3, between: str = ",") -> str:
    """List the first few names, and how many more there are.

    Examples
    --------
    >>> and_more(["B2", "B3", "B4", "B5"])
    'B2, B3, B4 and 1 more'
    >>> and_more(["B2 is empty", "B3 is empty"], 1, between=";")
    'B2 is empty; and 1 more'
    """
    stop = "" if between == "," else between
    more = f"{stop} and {len(names) - most:,} more" if len(names) > most else ""
    return f"{between} ".join(map(str, names[:most])) + more
