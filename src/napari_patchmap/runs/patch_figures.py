"""Quality figures of each patch, kept beside a run's map."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap.quality.columns import column_keys
from napari_patchmap.writing import whole_file

#: Their file in a run's folder.
QUALITY = "quality.csv"


def write_columns(path: Path, columns: dict[str, np.ndarray], index: np.ndarray) -> None:
    """Write figures of patches, one row a patch; ``index`` says which patch of the run."""
    frame = pd.DataFrame({"index": index, **columns})
    with whole_file(path) as file:
        frame.to_csv(file, index=False, float_format="%.5g")


def read_columns(path: Path, count: int, some: np.ndarray | None) -> dict[str, np.ndarray]:
    """Read the figures of a run's patches, or of ``some``, as they go by their index.

    Nothing where the file is not there, damaged or of other patches: they can be measured
    again at any time.
    """
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        frame = pd.read_csv(path)
        index = frame["index"].to_numpy(np.intp)
        if np.array_equal(np.sort(index), np.arange(count)):
            frame = frame.iloc[np.argsort(index)]
            rows = np.arange(count) if some is None else some
            known = [key for key in column_keys() if key in frame]
            return {key: frame[key].to_numpy(np.float32)[rows] for key in known}
    return {}
