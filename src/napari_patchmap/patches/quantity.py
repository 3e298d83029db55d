"""Which columns of a table are quantities, and which name groups."""

from __future__ import annotations

import pandas as pd

#: Whole numbers with at most this many different values name groups.
_FEW_VALUES = 20


def is_quantity(values: pd.Series) -> bool:
    """Whether a column is a quantity rather than names of groups."""
    if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
        return False
    return pd.api.types.is_float_dtype(values) or values.nunique() > _FEW_VALUES
