"""A column as text, its different values once: as quick with a million rows as with ten."""

from __future__ import annotations

import numpy as np
import pandas as pd


def text_codes(values: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Return which text each value is, ``(n,)`` intp, and the texts; missing values are "".

    Examples
    --------
    >>> import pandas as pd
    >>> codes, texts = text_codes(pd.Series(["a", None, "b", "a"]))
    >>> codes.tolist(), texts
    ([0, 2, 1, 0], ['a', 'b', ''])
    """
    if values.dtype == object and pd.api.types.infer_dtype(values, skipna=True) != "string":
        # 1, 1.0 and True are the same value, though not the same text.
        values = values.where(values.notna(), "").astype(str)
    codes, different = pd.factorize(values)
    names = [*map(str, different), ""]  # what is missing has the code -1: the last
    place = {text: at for at, text in enumerate(dict.fromkeys(names))}
    return np.array([place[name] for name in names], np.intp)[codes], list(place)
