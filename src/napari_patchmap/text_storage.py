"""Text in tables as Python has it, whatever else is installed.

Where pyarrow is there, pandas keeps text in Arrow's memory, which takes Unicode alone. Names of
files and labels may hold bytes that are no text (Python keeps them as surrogates), and such a
name must cost nobody the map. Others in this process notice nothing but the speed.
"""

from __future__ import annotations

import pandas as pd

pd.set_option("mode.string_storage", "python")
