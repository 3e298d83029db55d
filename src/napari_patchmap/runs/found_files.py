"""What was found in the patches of a run, kept beside its map."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.find.search import INDEX, Found, found_column
from napari_patchmap.runs.writable import writing
from napari_patchmap.writing import whole_file, write_json

#: Their files in a run's folder: columns of all patches, and the answers; each list besides.
COLUMNS, ANSWERS = "found.csv", "found.json"


def list_file(key: str) -> str:
    """Name the file of what a search lists."""
    return f"found-{key}.csv"


def found_columns(found: dict[str, Found]) -> dict[str, np.ndarray]:
    """Return the columns that all searches found, (n,), by the names of their columns."""
    return {
        found_column(name): values
        for one in found.values()
        for name, values in one.columns.items()
    }


def write_found(folder: Path, found: dict[str, Found], index: np.ndarray) -> list[str]:
    """Write what was found by the keys of the searches; return the names of the files.

    ``index`` says which patch of the run each row is.
    """
    if not found:
        return []
    columns = {name: values for one in found.values() for name, values in one.columns.items()}
    with whole_file(folder / COLUMNS) as file:
        pd.DataFrame({INDEX: index, **columns}).to_csv(file, index=False)
    names = [COLUMNS, ANSWERS]
    for key, one in found.items():
        rows = index[one.listed[INDEX].to_numpy(np.intp)]
        with whole_file(folder / list_file(key)) as file:
            one.listed.assign(**{INDEX: rows}).to_csv(file, index=False)
        names.append(list_file(key))
    answers = {
        key: {
            "columns": {name: values.dtype == object for name, values in one.columns.items()},
            "text": [n for n in one.listed if one.listed[n].dtype.kind not in "iufb"],
            "report": one.report,
            "lines": list(one.lines),
        }
        for key, one in found.items()
    }
    write_json(folder / ANSWERS, answers)
    return names


def read_found(folder: Path, count: int, some: np.ndarray | None) -> dict[str, Found]:
    """Read what was found in a run of ``count`` patches, or in ``some`` of them.

    What is not there, damaged or of other patches is left out: it can be looked for again.
    """
    found: dict[str, Found] = {}
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
        answers = json.loads((folder / ANSWERS).read_text("utf-8"))
        rows = np.arange(count) if some is None else some
        place = np.full(count, -1, np.intp)
        place[rows] = np.arange(len(rows))
        texts = [n for a in answers.values() for n, text in a["columns"].items() if text]
        table = _table(folder / COLUMNS, texts)
        index = table[INDEX].to_numpy(np.intp)
        if not np.array_equal(np.sort(index), np.arange(count)):
            return {}
        table = table.iloc[np.argsort(index)].iloc[rows]
        for key, answer in answers.items():
            with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
                found[key] = _read_one(folder, key, answer, table, place)
    return found


def write_list(path: Path, found: Found, table: pd.DataFrame) -> None:
    """Write what a search lists, with the source of each patch as its table has it.

    Raises
    ------
    RunError
        If it cannot be written.
    """
    listed = found.listed
    if "source" in table and "source" not in listed:
        source = table["source"].to_numpy()[listed[INDEX].to_numpy(np.intp)]
        listed = listed.assign(source=source)
    with writing(path), whole_file(path) as file:
        listed.to_csv(file, index=False)


def _read_one(
    folder: Path, key: str, answer: dict[str, Any], table: pd.DataFrame, place: np.ndarray
) -> Found:
    listed = _table(folder / list_file(key), answer["text"])
    listed[INDEX] = place[listed[INDEX].to_numpy(np.intp)]
    columns = {
        name: table[name].to_numpy(object if text else np.float32)
        for name, text in answer["columns"].items()
    }
    there = listed[listed[INDEX] >= 0].reset_index(drop=True)
    return Found(columns, there, answer["report"], tuple(answer["lines"]))


def _table(path: Path, texts: Sequence[str]) -> pd.DataFrame:
    """Read a table, some of whose columns are text as it stands there."""
    read = pd.read_csv(
        path, dtype=dict.fromkeys(texts, str), na_values=[""], keep_default_na=False
    )
    return read.assign(**{name: read[name].fillna("") for name in texts})
