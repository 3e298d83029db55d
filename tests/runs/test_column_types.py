"""Codes, numbers and labels of a saved map come back as what they were."""

import json

import numpy as np
import pandas as pd
import pytest

from napari_patchmap.patches.box_table import box_table
from napari_patchmap.runs.table import read_map_rows, save_embedding_csv, text_columns

ORIGINAL = {
    "label": ["1", "2", None, "NA"],
    "folder": ["1", "2", "3", "4"],  # text that only looks like numbers
    "plate": ["0003", "0010", None, "0100"],
    "barcode": ["12345678901234567890", "12345678901234567891", None, "1"],
    "area": [0.5, np.nan, np.inf, 2.0],
    "count": [1, 2, 3, 4],
    "whole": [1.0, 2.0, np.nan, 4.0],
}


@pytest.fixture
def saved(tmp_path):
    table = box_table("a.tif", range(4), np.full((4, 2), 8)).assign(**ORIGINAL)
    path = save_embedding_csv(tmp_path / "embedding.csv", np.zeros((4, 2), np.float32), table)
    return path, table


def test_types_come_back_as_they_were_written_down(saved):
    path, table = saved
    known = json.loads(json.dumps(text_columns(table)))
    back = read_map_rows(path, 4, text=known).table
    for column, values in ORIGINAL.items():
        expected = pd.Series(values)
        assert back[column].isna().tolist() == expected.isna().tolist(), column
        assert back[column].dropna().tolist() == expected.dropna().tolist(), column


def test_codes_keep_their_zeros_where_no_types_were_written_down(saved):
    back = read_map_rows(saved[0], 4).table
    for column in ("label", "plate", "barcode"):
        assert back[column].dropna().tolist() == [v for v in ORIGINAL[column] if v is not None]
    for column in ("area", "count", "whole"):
        np.testing.assert_array_equal(back[column], ORIGINAL[column])
    assert back["height"].tolist() == [8] * 4
