"""Quality figures of each patch, kept beside a run's map."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.quality.columns import column_keys
from napari_patchmap.runs.run_folder import CONFIG, FILES
from napari_patchmap.writing import whole_file, write_json

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


def keep_measured(
    folder: Path,
    report: dict[str, Any],
    columns: dict[str, np.ndarray] | None,
    index: np.ndarray,
    training: str,
) -> str:
    """Write what was measured into a saved run; return why that cannot be, "" if it was.

    Figures of patches are left as they are if ``columns`` is None. ``index`` says which
    patches of the run it is of, ``training`` what that calls itself; nothing is written of
    a part of the patches, or where another map took its place.
    """
    try:
        config = json.loads((folder / CONFIG).read_text("utf-8"))
        same = config["training"].get("id", "") == training
        if not same or len(index) != int(config["patches"]["count"]):
            return ""
        if columns is not None:
            write_columns(folder / QUALITY, columns, index)
        write_json(folder / "metrics.json", report)
        if QUALITY not in config.get(FILES, [QUALITY]):
            config[FILES] = sorted([*config[FILES], QUALITY])
            write_json(folder / CONFIG, config)
    except (OSError, ValueError, LookupError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:200]
        return f"The figures could not be kept in {folder} ({reason})."
    return ""
